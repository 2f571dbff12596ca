"""CloudTrail as a second witness: its calls hour by hour beside the ledger's."""
