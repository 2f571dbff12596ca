"""`explain`: why one principal is where it is."""
