"""Metrics, alarms, the history of Bedrock's calls, and logs."""
