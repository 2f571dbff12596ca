"""A satellite's functions: `satellite.yaml` holds their text, so nothing else is imported."""
