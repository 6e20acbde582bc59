"""Zoom: its dialect, its tokens, its lists and its downloads."""
