"""`sandbox`: an AWS of one's own with the whole product in it, to play with."""
