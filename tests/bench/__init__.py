"""Benchmarks, side by side: `python -m tests.bench`, or `make bench`."""
