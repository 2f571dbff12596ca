"""What may be wrong with a deployment: from evidence to findings, as pure rules."""
