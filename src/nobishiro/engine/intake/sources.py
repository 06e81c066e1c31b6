"""The one door through which files and databases come in: `read_source`."""

from __future__ import annotations

from nobishiro.engine.intake.raw import EncodingGuess, RawTable, ReadGuess, ReadOptions, SkippedRow

__all__ = ["EncodingGuess", "RawTable", "ReadGuess", "ReadOptions", "SkippedRow"]
