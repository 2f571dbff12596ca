"""Decisions become attachments in IAM, records in the ledger and notices."""
