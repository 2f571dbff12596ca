"""An embedded AWS that stays up, with the stack, people who call models, and a clock that runs."""
