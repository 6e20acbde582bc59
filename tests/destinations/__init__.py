"""Tests of the destinations."""
