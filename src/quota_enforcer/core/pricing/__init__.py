"""What a call costs: prices, their keys, items and table."""
