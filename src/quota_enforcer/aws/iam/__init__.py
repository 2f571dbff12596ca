"""Deny policies, permissions boundaries and the identities they act on."""
