"""`status`: where everybody is with each quota, or one principal."""
