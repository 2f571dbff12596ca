"""The recount: what the log holds of a closed hour, and the buckets set from it."""
