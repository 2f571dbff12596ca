"""`doctor`: a deployment, or an account before one, and how to fix what is wrong."""
