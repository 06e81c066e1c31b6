"""Run a command against a PostgreSQL of its own: `python scripts/on_postgresql.py python -m pytest tests/web`.

The server lives in a temporary directory and goes with the command. NOBISHIRO_TEST_DATABASE_URL names it. Where there is no
pgserver for this Python (3.13 and later have no wheel), says so and leaves with 0, unless CI is set and Python is older.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings


def main(command: list[str]) -> int:
    """The command's own exit code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pgserver
    except ImportError:
        sys.stderr.write(
            "no PostgreSQL for this Python (pgserver has no wheel): the pages were tested on SQLite alone\n"
        )
        return 1 if sys.version_info < (3, 13) else 0
    with tempfile.TemporaryDirectory(prefix="nobishiro-postgresql-") as directory:
        server = pgserver.get_server(directory)
        try:
            environment = os.environ | {"NOBISHIRO_TEST_DATABASE_URL": server.get_uri()}
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
