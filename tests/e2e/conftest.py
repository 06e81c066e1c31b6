"""Browser tests: the site answers from threads of its own, which need a database file instead of memory."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    from django.conf import settings
    from django.db import connections

    path: Path = tmp_path_factory.mktemp("browser") / "people.sqlite3"
    for place in (settings.DATABASES["default"], connections["default"].settings_dict):
        if place["ENGINE"].endswith("sqlite3"):
            place.setdefault("TEST", {})["NAME"] = str(path)
