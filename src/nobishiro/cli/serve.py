"""`nobishiro serve` and `nobishiro worker`: the web application for a company."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, LanguageOption, WorkspaceOption
from nobishiro.cli.terminal import Terminal, default_language
from nobishiro.contracts.errors import MissingCapability, SettingsError


class Part(StrEnum):
    """What can run alone."""

    SITE = "site"
    WORKER = "worker"


def serve(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that answer pages.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, help="Threads in each (default: two a core, at least 4).")
    ] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Also do the jobs and the schedule.")] = True,
    only: Annotated[Part | None, typer.Option("--only", help="Run one part alone.")] = None,
    lang: LanguageOption = None,
) -> None:
    """Run the web application until Ctrl+C: the pages, and the worker for what takes longer.

    The first run prints a one-time link by which the administrator's account is made. Where the database and the mail
    server are, and the names the site answers to, is said by environment variables: see the administrator's guide.

    Examples:
      nobishiro serve -w acme

      nobishiro serve -w acme --host 0.0.0.0 --port 8080 --no-worker
    """
    if os.environ.get("NOBISHIRO_DEMO", "0") == "1":
        raise SettingsError("NOBISHIRO_DEMO=1 lets anybody sign in with one click; unset it, or run `nobishiro demo`")
    need_web()
    from nobishiro.web.config.processes import PARTS
    from nobishiro.web.config.processes import serve as serve_parts

    terminal = Terminal(lang or default_language(), False)
    if host not in ("127.0.0.1", "localhost", "::1") and "NOBISHIRO_HOSTS" not in os.environ:
        terminal.say("serve.hosts")
    parts = (only.value,) if only else PARTS if worker else ("site",)

    def ready(url: str) -> None:
        if "site" in parts:
            terminal.say("serve.ready", url=url)
        else:
            terminal.say("serve.worker")

    serve_parts(
        {"NOBISHIRO_WORKSPACE": str(workspace.absolute())},
        host,
        port,
        ready=ready,
        first_link=lambda link: terminal.say("serve.first_link", link=link),
        workers=workers,
        threads=threads,
        parts=parts,
    )


def worker(workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """Do jobs and run the schedule in this process until Ctrl+C; `nobishiro serve` does it as well.

    Example: nobishiro worker -w acme
    """
    need_web()
    choose_workspace(workspace)
    from nobishiro.web.config.parts import run_jobs

    run_jobs()


def choose_workspace(workspace: Path) -> None:
    """Say to Django, before it is set up, which workspace is meant."""
    os.environ["NOBISHIRO_WORKSPACE"] = str(workspace.absolute())
    os.environ["DJANGO_SETTINGS_MODULE"] = "nobishiro.web.config.settings"


def need_web() -> None:
    """Pass when the web extra is installed; `MissingCapability` otherwise."""
    from importlib.util import find_spec

    missing = [name for name in ("django", "granian") if find_spec(name) is None]
    if missing:
        raise MissingCapability(f"the web application needs {', '.join(missing)}; run `pip install 'nobishiro[web]'`")
