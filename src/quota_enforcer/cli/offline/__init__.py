"""Commands that need no deployment."""
