"""Notices by SNS, and dead letters in SQS."""
