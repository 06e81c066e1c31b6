"""Backup and restore of what people entered, together with the store."""
