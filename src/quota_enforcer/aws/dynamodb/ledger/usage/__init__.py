"""What the meters fill: usage by the hour, each call once, and what they remember meanwhile."""
