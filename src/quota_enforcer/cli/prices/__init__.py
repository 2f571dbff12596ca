"""The commands of `quota-enforcer prices`."""
