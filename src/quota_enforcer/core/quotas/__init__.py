"""How much is allowed: quotas, their items, precedence and differences."""
