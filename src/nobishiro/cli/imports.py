"""`nobishiro import`: bring a file into the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nobishiro.cli.options import (
    DEFAULT_WORKSPACE,
    EncodingOption,
    JsonOption,
    LanguageOption,
    SheetOption,
    WorkspaceOption,
)
from nobishiro.cli.terminal import Terminal, default_language, now, wrong_usage

if TYPE_CHECKING:
    from nobishiro.pipelines.import_file import ImportResult


def import_(
    source: Annotated[str, typer.Argument(help="A CSV, Excel or Parquet file, or a database URL with --query.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    table: Annotated[str | None, typer.Option("--table", "-t", help="What the file is (default: guessed).")] = None,
    mapping: Annotated[str | None, typer.Option("--mapping", "-m", help="A saved mapping or a preset.")] = None,
    save_mapping: Annotated[
        str | None, typer.Option("--save-mapping", help="Keep the mapping under this name.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="HEADER=COLUMN, as often as needed.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
    rejected: Annotated[Path | None, typer.Option("--rejected", help="Where rejected rows go.")] = None,
    max_rejected: Annotated[
        float | None,
        typer.Option("--max-rejected", min=0, max=1, help="Fail whole above this share of rejected rows, 0 to 1."),
    ] = None,
    encoding: EncodingOption = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", help="One character (default: found).")] = None,
    header_row: Annotated[int | None, typer.Option("--header-row", help="Line of the header, from 1.")] = None,
    sheet: SheetOption = None,
    layout: Annotated[str | None, typer.Option("--layout", help="list or cross (default: found).")] = None,
    query: Annotated[str | None, typer.Option("--query", help="A SELECT, for a database.")] = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Import a file, all or nothing; importing it again changes nothing.

    Examples:
      nobishiro import 売上明細.xlsx -w acme --dry-run

      nobishiro import customers.csv -w acme --table customers --encoding cp932

      nobishiro import sqlite:///erp.db -w acme --query "select * from sales" --mapping erp
    """
    import msgspec

    from nobishiro.engine.intake.raw import ReadOptions
    from nobishiro.engine.workspace import Workspace
    from nobishiro.pipelines.import_file import ImportRequest, import_file

    terminal = Terminal(lang or default_language(), as_json)
    opened = Workspace.open_or_plan(workspace)
    if max_rejected is not None:
        imports = msgspec.structs.replace(opened.settings.imports, max_rejected_share=max_rejected)
        opened = Workspace(opened.store, msgspec.structs.replace(opened.settings, imports=imports))
    request = ImportRequest(
        source=source,
        table=table,
        columns=tuple(_pair(text) for text in column or ()),
        mapping=mapping,
        save_as=save_mapping,
        options=ReadOptions(
            encoding=encoding, delimiter=delimiter, header_row=header_row, sheet=sheet, layout=layout, query=query
        ),
        is_dry_run=dry_run,
        rejected_to=rejected,
        language=terminal.language,
    )
    with terminal.progress() as progress:
        result = import_file(opened, request, now(opened.settings.workspace.time_zone), progress)
    _show(terminal, result)
    terminal.document(_document(result))


def _pair(text: str) -> tuple[str, str]:
    header, separator, column = text.rpartition("=")
    if not separator or not header or not column:
        raise wrong_usage(f"{text!r} is not HEADER=COLUMN, for example 得意先コード=customer_id")
    return header, column


def _show(terminal: Terminal, result: ImportResult) -> None:
    report, guess = result.report, result.guess
    parts = [guess.kind, guess.encoding, guess.sheet, guess.layout if guess.layout == "cross" else None]
    terminal.say("import.guess")
    terminal.line("  " + ", ".join(part for part in parts if part))
    if result.columns:
        terminal.say("import.columns")
        terminal.table(
            ("", "", "", ""),
            [(f"  {c.header}", f"{c.table}.{c.column}", f"{c.confidence:.0%}", c.why) for c in result.columns],
        )
    for note in report.notes:
        terminal.line(f"  · {note}")
    terminal.say("import.done" if report.commit is not None else "import.dry")
    words = ["import.table", "import.new", "import.updated", "import.unchanged", "import.removed"]
    from nobishiro.cli.words import say

    terminal.table(
        [say(word, terminal.language) for word in words],
        [(t.table, t.new, t.updated, t.unchanged, t.removed) for t in report.tables],
    )
    if not report.rejected.is_empty():
        if result.rejected_file is not None:
            terminal.say("import.rejected", n=f"{report.rejected.height:,}", path=result.rejected_file)
        else:
            why = report.rejected.row(0)[-1]
            terminal.say("import.rejected_dry", n=f"{report.rejected.height:,}", why=why)
    if report.left_out:
        terminal.say("import.left_out", n=f"{report.left_out:,}")
    if result.merged is not None and (result.merged.certain or result.merged.ambiguous):
        terminal.say("match.found", certain=result.merged.certain, ambiguous=result.merged.ambiguous)
    for row in result.overtaken.iter_rows(named=True):
        terminal.say("import.overtaken", **row)
    if report.import_id is not None:
        terminal.say("import.undo", id=report.import_id)


def _document(result: ImportResult) -> dict[str, object]:
    report = result.report
    return {
        "source": report.source,
        "import_id": report.import_id,
        "commit": report.commit,
        "dry_run": report.commit is None,
        "rows_read": report.rows_read,
        "rejected": report.rejected.height,
        "rejected_file": result.rejected_file,
        "left_out": report.left_out,
        "tables": {
            t.table: {"new": t.new, "updated": t.updated, "unchanged": t.unchanged, "removed": t.removed}
            for t in report.tables
        },
        "samples": {t.table: t.new_sample.to_dicts() for t in report.tables},
        "read_as": {
            "kind": result.guess.kind,
            "encoding": result.guess.encoding,
            "delimiter": result.guess.delimiter,
            "sheet": result.guess.sheet,
            "header_row": result.guess.header_row,
            "layout": result.guess.layout,
        },
        "columns": [
            {"header": c.header, "table": c.table, "column": c.column, "confidence": c.confidence, "why": c.why}
            for c in result.columns
        ],
        "corrections_overtaken": result.overtaken.to_dicts(),
        "merged": None
        if result.merged is None
        else {"certain": result.merged.certain, "ambiguous": result.merged.ambiguous},
        "notes": list(report.notes),
    }
