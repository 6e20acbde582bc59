"""zoomsync: Zoom cloud recordings, moved to a library of your own."""

__version__ = "0.3.0"
