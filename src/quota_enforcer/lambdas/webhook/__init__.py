"""Posts each notice and alarm to an admin's webhook, signed."""
