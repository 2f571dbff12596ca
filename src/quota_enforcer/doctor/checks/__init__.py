"""What is looked at: each check reads from AWS and the ledger, and asks a rule what it means."""
