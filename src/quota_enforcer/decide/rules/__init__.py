"""The rules in force: loaded from the quota table, with what was edited since."""
