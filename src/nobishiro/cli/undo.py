"""`nobishiro undo`: take an import back."""

from __future__ import annotations

from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.terminal import Terminal, default_language, now


def undo(
    import_id: Annotated[str | None, typer.Argument(help="The import; without it, imports are listed.")] = None,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Take an import back; what later imports changed stays and is listed.

    Examples:
      nobishiro undo -w acme

      nobishiro undo 20261121-201530-9f3a61 -w acme
    """
    from nobishiro.engine.workspace import Workspace

    terminal = Terminal(lang or default_language(), as_json)
    opened = Workspace.open(workspace)
    store = opened.store
    if import_id is None:
        commits = [commit for commit in store.commits() if commit.kind in ("import", "edit", "undo")]
        if not commits:
            terminal.say("undo.none")
        terminal.table(
            ("import", "", "", ""), [(c.import_id, c.kind, str(c.at or ""), c.note) for c in reversed(commits)]
        )
        terminal.document(
            {"imports": [{"import_id": c.import_id, "kind": c.kind, "at": c.at, "note": c.note} for c in commits]}
        )
        return
    result = store.undo(import_id, now(opened.settings.workspace.time_zone))
    terminal.say("undo.done", id=import_id)
    terminal.table(("", "−", "+"), [(t.table, t.taken_out, t.brought_back) for t in result.tables])
    for part in result.tables:
        if part.kept:
            terminal.say("undo.kept", n=part.kept, table=part.table)
    terminal.document(
        {
            "undone": import_id,
            "commit": result.commit.number,
            "tables": {
                t.table: {"taken_out": t.taken_out, "brought_back": t.brought_back, "kept": t.kept}
                for t in result.tables
            },
            "kept": result.kept.to_dicts(),
        }
    )
