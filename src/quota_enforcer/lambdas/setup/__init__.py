"""The custom resource: switches invocation logging on, and releases everyone at the end."""
