"""What people are told, and what they ask for."""
