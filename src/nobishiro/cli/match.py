"""`nobishiro match`: find customers that stand under several codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.terminal import Terminal, default_language, now, wrong_usage


def match(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Candidates and evidence, as .xlsx or .csv.")] = None,
    codes: Annotated[Path | None, typer.Option("--codes", help="Old and new customer codes, two columns.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Merge nothing.")] = False,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Merge codes that are certainly one customer (undoable), list pairs for a person to judge.

    Example: nobishiro match -w acme --out 名寄せ候補.xlsx
    """
    from nobishiro.engine.intake.sources import read_source
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.frames import write_frame
    from nobishiro.pipelines.match_customers import match_customers

    terminal = Terminal(lang or default_language(), as_json)
    opened = Workspace.open(workspace)
    cross_reference = None
    if codes is not None:
        frame = read_source(str(codes)).frame
        if frame.width < 2:
            raise wrong_usage(f"{codes} needs two columns: the old code and the new one")
        cross_reference = frame.select(frame.columns[:2]).rename(
            dict(zip(frame.columns[:2], ("old_customer_id", "new_customer_id"), strict=True))
        )
    with terminal.progress() as progress:
        report = match_customers(
            opened,
            now(opened.settings.workspace.time_zone),
            cross_reference=cross_reference,
            is_dry_run=dry_run,
            progress=progress,
        )
    terminal.say("match.found", certain=report.certain, ambiguous=report.ambiguous)
    if out is not None:
        write_frame(report.matches.ambiguous, out)
        terminal.say("match.file", path=out)
    if report.import_id is not None:
        terminal.say("import.undo", id=report.import_id)
    terminal.document(
        {
            "import_id": report.import_id,
            "certain": report.matches.certain.to_dicts(),
            "ambiguous": report.matches.ambiguous.to_dicts(),
            "parents": report.matches.parents.to_dicts(),
        }
    )
