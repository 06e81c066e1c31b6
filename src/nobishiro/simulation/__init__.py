"""Fictional businesses whose truth is known: for demos, tests and benchmarks."""
