"""What all commands share: arguments and options, output, styles, times, principals, errors."""
