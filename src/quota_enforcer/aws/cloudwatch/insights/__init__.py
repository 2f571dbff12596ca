"""Log groups, read by queries of Logs Insights."""
