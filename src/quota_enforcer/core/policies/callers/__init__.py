"""What people need: to use the command line, to ask about themselves, and to call some models."""
