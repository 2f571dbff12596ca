"""The admin command line over the same core, tables and sweep."""
