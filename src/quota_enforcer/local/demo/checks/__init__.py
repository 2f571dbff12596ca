"""What a run of the demo must have shown."""
