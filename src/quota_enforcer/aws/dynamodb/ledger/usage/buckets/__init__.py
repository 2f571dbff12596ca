"""Usage as items: one for each principal, model and local date, and one for each minute asked."""
