"""How figures, days and states are shown."""
