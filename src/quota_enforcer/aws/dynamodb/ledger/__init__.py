"""The ledger's items: usage, standings, notices, history and what the functions remember."""
