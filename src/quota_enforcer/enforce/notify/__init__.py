"""Notices of the deployment: one notifier for each thing that admins are told, and the sender."""
