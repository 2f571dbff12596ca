"""`bill`: reports of AWS's billing, read and laid beside the ledger."""
