"""Browser tests: the site answers from threads of its own, which need a database file instead of memory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    from django.conf import settings
    from django.db import connections

    path: Path = tmp_path_factory.mktemp("browser") / "people.sqlite3"
    for place in (settings.DATABASES["default"], connections["default"].settings_dict):
        if "sqlite" in place["ENGINE"]:
            place.setdefault("TEST", {})["NAME"] = str(path)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo's address; the command runs as it would for a newcomer. NOBISHIRO_E2E_SITE names one that runs already."""
    if os.environ.get("NOBISHIRO_E2E_SITE"):
        yield os.environ["NOBISHIRO_E2E_SITE"]
        return
    home = tmp_path_factory.mktemp("demo")
    command = [
        sys.executable, "-m", "nobishiro.cli.main", "demo", "--workspace", str(home), "--serve", "--port", "0", "--no-others", "--lang", "en",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NOBISHIRO_")}
    with (home / "demo.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(r"open (http://\S+)/demo/", line)
                if found:
                    yield found.group(1)
                    break
            else:
                pytest.fail(f"the demo did not start: {(home / 'demo.log').read_text()[-2000:]}")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
            if process.stdout is not None:
                process.stdout.close()
