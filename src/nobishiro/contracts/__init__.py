"""Frozen types and protocols that every room may import. Standard library only."""
