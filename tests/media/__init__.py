"""Media: real ffmpeg on small clips, and texts."""
