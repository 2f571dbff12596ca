"""Bedrock: answers, profiles and the invocation log that the emulator lacks."""
