"""`doctor`: finds what is wrong with a deployment, by reading alone."""
