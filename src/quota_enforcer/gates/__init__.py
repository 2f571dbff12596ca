"""The author: renders the gates, the permissions boundaries of people who share a role."""
