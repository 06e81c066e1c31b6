"""Writers of one SQLite database queue: each gets its turn, nobody is told that the database is locked."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from django.db import connections

from nobishiro.web.config.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.django_db
WRITERS, WRITES = 8, 40


def wrapper(path: Path, timeout: float = 0.05) -> DatabaseWrapper:
    """A connection that would not wait for SQLite's own lock."""
    settings = dict(connections["default"].settings_dict) | {
        "ENGINE": "nobishiro.web.config.sqlite",
        "NAME": str(path),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": timeout, "init_command": "PRAGMA journal_mode=WAL;"},
    }
    return DatabaseWrapper(settings, "turns")


def write(path: Path, count: int) -> None:
    """Read, add one, write back: without the queue writes would fail or be lost."""
    connection = wrapper(path)
    for _ in range(count):
        connection.ensure_connection()
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with connection.cursor() as cursor:
            value = cursor.execute("SELECT n FROM counter").fetchone()[0]
            cursor.execute("UPDATE counter SET n = %s", [value + 1])
        connection.commit()
        connection.set_autocommit(True)
    connection.close()


def test_eight_writers_all_get_their_turn_though_none_waits_for_the_lock_itself(tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite3"
    with sqlite3.connect(path) as plain:
        plain.execute("CREATE TABLE counter (n INTEGER)")
        plain.execute("INSERT INTO counter VALUES (0)")
    plain.close()
    threads = [threading.Thread(target=write, args=(path, WRITES)) for _ in range(WRITERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT n FROM counter").fetchone()[0] == WRITES * WRITERS
    plain.close()


def test_a_turn_is_given_up_when_a_transaction_is_rolled_back_or_its_connection_closed(tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite3"
    sqlite3.connect(path).close()
    first, second = wrapper(path), wrapper(path)
    for end in (first.rollback, first.close):
        first.ensure_connection()
        first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        assert first._turn is not None
        end()
        assert first._turn is None
        if first.connection is not None:
            first.set_autocommit(True)
    second.ensure_connection()
    second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    second.rollback()
    second.close()
