"""Questions about the bill: what AWS charges, laid beside what the ledger has."""
