"""CloudWatch: metric filters, metric reads and alarms that the emulator lacks."""
