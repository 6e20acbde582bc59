"""The tests of the Zoom edge."""
