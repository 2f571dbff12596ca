"""This deployment's functions, how they are called and what triggers them."""
