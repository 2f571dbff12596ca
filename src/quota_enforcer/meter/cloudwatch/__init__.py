"""Usage from CloudWatch metrics, every few minutes."""
