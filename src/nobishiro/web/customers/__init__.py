"""Customers as the company knows them: list, karte, facts, tags, overrides."""
