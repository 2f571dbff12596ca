"""What quotas would have done to the calls of a log: the replay, and its picture."""
