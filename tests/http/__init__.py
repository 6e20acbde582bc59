"""Requests, and the answers on their way in."""
