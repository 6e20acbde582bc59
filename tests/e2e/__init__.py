"""The command line against the stand-in Zoom: real HTTP, real ffmpeg, a real library, and a clock that tests turn."""
