"""Answers who signed the request with their own quotas and usage."""
