"""How much was used: counts, buckets, windows and models."""
