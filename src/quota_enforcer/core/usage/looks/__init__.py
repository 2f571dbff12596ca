"""Whom the enforcer need not look at, and whom it has not looked at yet."""
