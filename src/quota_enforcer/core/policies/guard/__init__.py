"""The guard: what keeps everyone but named admins off a deployment, and off what is not metered."""
