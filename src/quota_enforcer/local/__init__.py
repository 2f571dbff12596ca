"""The embedded AWS for the demo and the integration tests; never part of a Lambda package."""
