"""Sweeps, wakes and answers to quota edits; the only function that attaches denies."""
