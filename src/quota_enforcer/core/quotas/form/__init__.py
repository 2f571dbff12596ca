"""The form of quota items: what values mean as they stand, as people write them, and restated."""
