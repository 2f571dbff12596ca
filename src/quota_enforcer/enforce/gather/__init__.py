"""Whom to look at in a sweep, at a wake or after an edit, and what is known of them before."""
