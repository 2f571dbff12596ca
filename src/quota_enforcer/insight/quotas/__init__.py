"""Questions about quota items: how each stands, and what an edit would do."""
