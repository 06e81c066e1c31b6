"""Nobishiro finds where existing customers can still grow, whom to approach with what, and plans it."""

__version__ = "0.1.0.dev0"
