"""What people and admins are told: it is found, and leaves the outbox."""
