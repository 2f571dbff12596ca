"""What each of our functions may do: the policy of its role, as the templates deploy it."""
