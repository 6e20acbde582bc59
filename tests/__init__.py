"""The tests of zoomsync."""
