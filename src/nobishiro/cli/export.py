"""`nobishiro export`: tables and results to files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.terminal import Terminal, default_language


def export(
    table: Annotated[str, typer.Argument(help="A canonical table, a result of the latest run, or `all`.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File (.csv .tsv .xlsx .parquet), or a directory for `all`.")
    ],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    encoding: Annotated[
        str, typer.Option("--encoding", help="utf-8-sig, utf-8, utf-16, cp932 or euc_jp.")
    ] = "utf-8-sig",
    headers: Annotated[str, typer.Option("--headers", help="ja, en or name.")] = "ja",
    at: Annotated[int | None, typer.Option("--at", help="As of this commit (default: the newest).")] = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Write a table so that importing the file again changes nothing.

    Examples:
      nobishiro export customers -w acme --out 顧客.csv --encoding cp932

      nobishiro export all -w acme --out backup/
    """
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.export_tables import export_tables
    from nobishiro.pipelines.wording import word

    terminal = Terminal(lang or default_language(), as_json)
    reports = export_tables(Workspace.open(workspace), table, out, encoding=encoding, headers=headers, at=at)
    for report in reports:
        terminal.say("wrote", path=report.path, n=f"{report.rows:,}")
        if report.unwritable:
            terminal.say("unwritable", encoding=encoding, n=f"{len(report.unwritable):,}")
        for cell in report.unwritable:
            what = word(cell.what, terminal.language)
            terminal.say("unwritable.cell", line=cell.line, column=cell.column, value=cell.value, what=what)
    terminal.document(
        {
            "files": [
                {
                    "path": report.path,
                    "rows": report.rows,
                    "unwritable": [
                        {"line": c.line, "column": c.column, "value": c.value, "what": c.what}
                        for c in report.unwritable
                    ],
                }
                for report in reports
            ]
        }
    )
