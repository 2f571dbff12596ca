"""`me`: where the caller stands, as a page, a line for a prompt, credentials, or a request."""
