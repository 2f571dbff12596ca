"""Lambda: workers, function URLs, streams and deliveries that the emulator lacks."""
