"""Requests to a service: tries, a rate, limits of time and size; no secret in any text."""

from zoomsync.http.client import FLOOR, TRIES, Http, brief, brief_seconds, is_brief
from zoomsync.http.connection import moment_of, pause_asked

__all__ = ["FLOOR", "TRIES", "Http", "brief", "brief_seconds", "is_brief", "moment_of", "pause_asked"]
