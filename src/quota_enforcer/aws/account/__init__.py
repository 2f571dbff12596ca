"""What an account says of itself: its stack, its time, its organisation, its bills, all at once."""
