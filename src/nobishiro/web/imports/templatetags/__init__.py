"""Names the import wizard shows."""
