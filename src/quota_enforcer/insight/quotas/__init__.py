"""Questions about quota items: how each stands, what an edit would do, what usage none counts."""
