"""What enforcing needs from outside, one protocol for each role."""
