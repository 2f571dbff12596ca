"""Step 2: quotas and usage become what should hold."""
