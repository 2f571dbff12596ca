"""The two tables: quota items that admins write, and the ledger."""
