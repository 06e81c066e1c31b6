"""What holds for every command: one JSON document, an example in its help, errors in one line, an exit code by kind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_desk import Desk, ledger, line

from nobishiro.cli.main import app, main
from nobishiro.contracts.errors import NobishiroError

COMMANDS = tuple(command.name or "" for command in app.registered_commands)
SALES = ledger(
    *(
        line(number, number % 23, (number * number) % 11, f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d}")
        for number in range(1, 400)
    )
)
NOBISHIRO = (sys.executable, "-c", "from nobishiro.cli.main import main; main()")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_says_what_it_does_and_shows_an_example(desk: Desk, command: str) -> None:
    said = desk.nobishiro(command, "--help")
    assert said.code == 0
    assert f"nobishiro {command}" in said.out.split("Options")[0].split("Usage:")[1].split("\n", 1)[1]


def test_help_lists_every_command_and_version_says_it(desk: Desk) -> None:
    said = desk.nobishiro("--help")
    assert said.code == 0 and all(command in said.out for command in COMMANDS)
    assert desk.nobishiro("--version").out.startswith("nobishiro 0")


def test_json_is_one_document_for_every_command(desk: Desk) -> None:
    sales = desk.write("sales.csv", SALES)
    first = desk.imported(sales)
    out, space = desk.path / "out", ("-w", desk.workspace)
    calls = {
        "import": (sales, *space),
        "undo": space,
        "match": space,
        "run": space,
        "tune": space,
        "export": ("customers", *space, "--out", desk.path / "c.csv"),
        "map": (sales, "--out", desk.path / "m.csv"),
        "recommend": (sales, "--out", desk.path / "r.parquet"),
        "pairs": (sales, "--out", desk.path / "p.parquet"),
        "plan": (*space, "--out", desk.path / "plan.csv"),
        "backends": (),
    }
    elsewhere = {"demo", "simulate", "invite", "serve", "worker", "backup", "restore"}  # run by tests of their own
    assert calls.keys() | elsewhere == set(COMMANDS)
    for command, arguments in calls.items():
        said = desk.nobishiro(command, *arguments, "--json")
        document = json.loads(said.out)
        assert isinstance(document, dict) and said.out.count("\n") == 1 and said.err == "", command
        assert said.code == 0 or (command == "tune" and document["error"] == "NotEnoughHistory"), (command, document)
    assert desk.nobishiro("undo", first["import_id"], *space, "--json").document["undone"] == first["import_id"]
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("import", "nowhere.csv"), 3, "FileNotUsable"),
        (("undo", "20260101-000000-abcdef"), 5, "NotAWorkspace"),
        (("run",), 5, "NotAWorkspace"),
        (("tune",), 5, "NotAWorkspace"),
        (("match",), 5, "NotAWorkspace"),
        (("export", "customers", "--out", "x.csv"), 5, "NotAWorkspace"),
        (("map", "nowhere.csv"), 3, "FileNotUsable"),
        (("recommend", "nowhere.parquet"), 3, "FileNotUsable"),
        (("pairs", "nowhere.xlsx"), 3, "FileNotUsable"),
        (("plan", "nowhere.csv"), 3, "FileNotUsable"),
    ],
)
def test_error_is_one_line_for_people_and_a_document_for_machines(
    desk: Desk, arguments: tuple[str, ...], code: int, error: str
) -> None:
    said = desk.nobishiro(*arguments)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("nobishiro: ") and said.err.count("\n") == 1
    said = desk.nobishiro(*arguments, "--json")
    assert (said.code, said.err) == (code, "")
    assert said.document["error"] == error and said.document["message"]
    assert desk.files() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "customers", "--out", "x.zip"),
        ("export", "customers", "--out", "x.csv", "--encoding", "ebcdic"),
        ("export", "customers", "--out", "no/such/place.csv"),
        ("export", "nothing", "--out", "x.csv"),
        ("export", "positions", "--out", "x.csv"),
        ("export", "customers", "--out", "x.csv", "--at", "99"),
        ("undo", "../../etc"),
        ("run", "--as-of", "yesterday"),
        ("run", "--as-of", "1990-01-01"),
        ("plan", "--mix", "1,2"),
        ("plan", "--mix", "a,b,c,d"),
        ("match", "--codes", "nowhere.csv"),
        ("map", "--out", "map.docx"),
    ],
)
def test_wrong_argument_never_ends_in_a_traceback(desk: Desk, arguments: tuple[str, ...]) -> None:
    desk.imported(desk.write("sales.csv", SALES))
    before = desk.files()
    said = desk.nobishiro(*arguments, "-w", desk.workspace)
    assert said.code in (2, 3, 4, 5) and "Traceback" not in said.err and said.err
    assert desk.files() == before


def test_every_kind_of_error_ends_with_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def kinds(kind: type[NobishiroError]) -> list[type[NobishiroError]]:
        return [kind, *(below for child in kind.__subclasses__() for below in kinds(child))]

    for kind in kinds(NobishiroError):
        error = kind.__new__(kind, "what was wrong")
        Exception.__init__(error, "what was wrong")

        def fail(error: NobishiroError = error) -> None:
            raise error

        monkeypatch.setattr("nobishiro.cli.main.app", fail)
        monkeypatch.setattr("sys.argv", ["nobishiro"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == kind.exit_code
        assert capsys.readouterr().err == "nobishiro: what was wrong\n"


def test_ctrl_c_ends_with_130_and_leaves_the_workspace_as_it_was(desk: Desk) -> None:
    desk.imported(desk.write("first.csv", SALES))
    before, tables = desk.state(), desk.read("order_lines").height
    rows = [line(number, number % 300) for number in range(1_000, 150_000)]
    path = desk.write("big.csv", ledger(*rows))
    environment = {**os.environ, "NOBISHIRO_LANG": "en"}
    process = subprocess.Popen(
        [*NOBISHIRO, "import", str(path), "-w", str(desk.workspace)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    staging = desk.workspace / "staging"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None and not any(staging.glob("*/*.parquet")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    if process.returncode == 0:  # it was done before the signal came
        pytest.skip("this machine imports faster than a signal arrives")
    assert process.returncode == 130, err
    assert "Traceback" not in err and "what was under way was discarded" in err and out == ""
    assert desk.state() == before and desk.read("order_lines").height == tables
    assert desk.imported(path)["rejected"] == 0


def test_reader_that_goes_away_is_no_error(desk: Desk) -> None:
    command = [*NOBISHIRO, "import", str(desk.write("sales.csv", SALES)), "-w", str(desk.workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert desk.read("order_lines").height == 399


def test_workspace_is_found_by_the_environment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOBISHIRO_WORKSPACE", str(desk.workspace))
    assert desk.nobishiro("import", desk.write("sales.csv", SALES)).code == 0
    assert Path(desk.workspace / "nobishiro.json").exists()
