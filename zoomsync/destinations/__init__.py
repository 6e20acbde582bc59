"""Destinations: where items go."""
