"""One record of the invocation log, and what it is charged."""
