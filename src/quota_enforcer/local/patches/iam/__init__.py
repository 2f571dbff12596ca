"""IAM: conditions, resources and limits that the emulator does not check."""
