"""`nobishiro serve`: what it refuses before it starts anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cli_desk import Desk


def test_serve_never_lets_anybody_in_by_one_click(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOBISHIRO_DEMO", "1")
    said = desk.nobishiro("serve", "--workspace", desk.workspace, "--lang", "en")
    assert said.code == 2
    assert "NOBISHIRO_DEMO=1 lets anybody sign in" in said.err
    assert not Path(desk.workspace).exists()


def test_port_that_is_taken_is_said_and_nothing_is_made(desk: Desk) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = desk.nobishiro("serve", "--workspace", desk.workspace, "--port", port, "--lang", "ja")
    assert said.code == 2
    assert f"127.0.0.1:{port} を使えません" in said.err
    assert not Path(desk.workspace).exists()


def test_part_that_does_not_exist_is_refused(desk: Desk) -> None:
    said = desk.nobishiro("serve", "--workspace", desk.workspace, "--only", "kitchen", "--lang", "en")
    assert said.code == 2
    assert "kitchen" in said.err
