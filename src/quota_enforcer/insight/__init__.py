"""Questions that change nothing: status, explain, forecast, report."""
