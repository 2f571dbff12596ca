"""Writes the gates' documents; the only function that writes policies."""
