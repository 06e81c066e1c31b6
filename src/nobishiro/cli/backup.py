"""`nobishiro backup` and `nobishiro restore`: everything of a company in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.serve import choose_workspace, need_web
from nobishiro.cli.terminal import Terminal, default_language, now


def backup(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; must not be there yet.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Write tables, runs and everything people entered into one file, while others go on working.

    Example: nobishiro backup -w acme --out /backups/acme-20261121.zip
    """
    need_web()
    choose_workspace(workspace)
    from nobishiro.web.config.parts import set_up_django

    set_up_django()
    from nobishiro.web.core.backup.making import make_backup

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        manifest = make_backup(out.absolute(), now("UTC"), progress)
    database = manifest.database
    tables, rows = len(manifest.store.rows), sum(manifest.store.rows.values())
    if database is not None:
        tables, rows = tables + len(database.tables), rows + database.rows
    size = out.stat().st_size
    terminal.say("backup.done", path=out, size=f"{size / 1e6:,.1f} MB", tables=f"{tables:,}", rows=f"{rows:,}")
    terminal.document({"path": out, "bytes": size, "commit": manifest.store.commit, "tables": tables, "rows": rows})


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `nobishiro backup` or the page wrote.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Bring a backup back into an empty directory, and into the empty database NOBISHIRO_DATABASE_URL names, if any.

    Sizes, hashes and row counts are checked before anything counts. One of an older version is brought up to this one.

    Example: nobishiro restore /backups/acme-20261121.zip -w acme-again
    """
    need_web()
    from nobishiro.web.core.backup.restoring import restore_backup

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        manifest = restore_backup(file.absolute(), workspace, progress=progress)
    database = manifest.database
    tables, rows = len(manifest.store.rows), sum(manifest.store.rows.values())
    if database is not None:
        tables, rows = tables + len(database.tables), rows + database.rows
    terminal.say("restore.done", path=workspace, tables=f"{tables:,}", rows=f"{rows:,}")
    terminal.document({"workspace": workspace, "commit": manifest.store.commit, "tables": tables, "rows": rows})
