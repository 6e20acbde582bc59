"""The `auth-check` and `users` commands, run as a person runs them."""
