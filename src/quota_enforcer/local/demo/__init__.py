"""The demo: real traffic against the real stack on the embedded AWS, a day and a morning long."""
