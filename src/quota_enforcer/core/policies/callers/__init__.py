"""What people and admins need who call the functions or the command line."""
