"""What sweeps, wakes and the author leave in the ledger for those that come after them."""
