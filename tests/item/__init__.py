"""The work on one meeting: its item, its staging, its room on the disk."""
