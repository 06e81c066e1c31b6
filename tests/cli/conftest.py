"""Fixtures of the command line's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cli_desk import desk  # noqa: F401
