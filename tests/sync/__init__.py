"""One pass, job by job, with Zoom and the destination in memory."""
