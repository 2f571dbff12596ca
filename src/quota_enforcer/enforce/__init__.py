"""The sweep: gather -> decide -> apply, for the principals that are due or touched."""
