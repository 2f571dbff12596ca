"""Where the emulator differs from AWS, put right for as long as its process lives."""
