"""Turns deliveries of the invocation log into usage."""
