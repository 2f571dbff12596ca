"""`policy`: the documents of our roles, of others, and what checks them."""
