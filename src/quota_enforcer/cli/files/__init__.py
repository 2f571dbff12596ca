"""Files that people hand to commands: items as YAML or JSON, and logs."""
