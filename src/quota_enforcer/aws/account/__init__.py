"""What an account says of itself: its stack, its time, its organisation, and all of it at once."""
