"""How fast a quota is used: over its window, and at present."""
