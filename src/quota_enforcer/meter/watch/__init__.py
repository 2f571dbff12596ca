"""Is the meter alive? Once an hour its tallies are held against what AWS itself counted."""
