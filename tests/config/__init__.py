"""Tests of zoomsync.config."""
