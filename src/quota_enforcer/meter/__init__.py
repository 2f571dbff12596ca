"""The meters: two ways to fill the same usage buckets, and the recount that settles them."""
