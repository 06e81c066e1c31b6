"""取込: files become clean canonical tables."""
