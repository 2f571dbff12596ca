"""What all commands share at the terminal: options, output, times, errors."""
