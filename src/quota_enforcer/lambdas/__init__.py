"""One short Lambda entry point per function."""
