"""`simulate`: a log replayed against quotas, as tables, as JSON, and as a picture."""
