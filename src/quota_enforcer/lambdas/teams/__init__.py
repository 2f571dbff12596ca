"""The teams function: keeps members of teams in step with where they are kept, on a schedule."""
