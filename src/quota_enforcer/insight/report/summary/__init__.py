"""The first screen: how much, against what, who, what is blocked, and what runs out next."""
