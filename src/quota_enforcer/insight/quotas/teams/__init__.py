"""Teams from where they are kept: what is read there, and what it would change here."""
