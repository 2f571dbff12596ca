"""Metrics, alarms and the invocation log."""
