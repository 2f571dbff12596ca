"""What each part of a healthy deployment looks like, one file for each part."""
