"""What the emulator does otherwise than AWS, and how it is patched while its process lives."""
