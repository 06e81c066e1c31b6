"""Bundled real data; see LICENCE.md."""
