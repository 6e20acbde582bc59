"""Media: probing, stitching, captions and chat."""
