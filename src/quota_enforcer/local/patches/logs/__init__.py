"""CloudWatch Logs: reads and subscriptions that the emulator lacks."""
