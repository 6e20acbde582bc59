"""`auth-check` on real sites: each thing that can be wrong, its sentence, its remedy, its exit code."""
