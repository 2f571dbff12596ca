"""The console: pages on loopback for an admin's browser, over what the commands ask and write."""
