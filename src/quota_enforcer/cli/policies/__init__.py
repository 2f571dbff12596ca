"""Commands that print or check IAM policies."""
