"""The commands of `quota-enforcer quota`."""
