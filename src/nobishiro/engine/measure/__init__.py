"""検証: what was done and what it earned."""
