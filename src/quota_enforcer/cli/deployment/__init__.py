"""The deployment that a command works on: what it consists of, and how it is found."""
