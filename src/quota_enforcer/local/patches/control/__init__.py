"""What AWS has not: the server says what happened, and goes back to a state that it kept."""
