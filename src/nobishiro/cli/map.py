"""`nobishiro map`: the customer map, from one file or a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nobishiro.cli.opening import open_analysis
from nobishiro.cli.options import (
    AsOfOption,
    EncodingOption,
    JsonOption,
    LanguageOption,
    MaybeWorkspace,
    OrdersArgument,
    OutOption,
    SheetOption,
)
from nobishiro.cli.terminal import Terminal, default_language, now, parse_day


def map_(
    orders: OrdersArgument = None,
    out: OutOption = Path("map.xlsx"),
    as_of: AsOfOption = None,
    workspace: MaybeWorkspace = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of a file's amounts (default: JPY).")] = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Draw the customer map A-D: .xlsx the whole workbook, .html the report, .parquet, .csv or .json the positions.

    From one Excel file with sensible defaults: nobishiro map 売上明細.xlsx --out map.xlsx
    """
    from nobishiro.engine.intake.raw import ReadOptions
    from nobishiro.engine.settings import Settings
    from nobishiro.pipelines.frames import write_frame
    from nobishiro.pipelines.presentation import Occasion, report_data
    from nobishiro.report.page import write_report
    from nobishiro.report.workbook import write_workbook

    terminal = Terminal(lang or default_language(), as_json)
    with terminal.progress() as progress:
        analysis, notes, rejected = open_analysis(
            orders, workspace, parse_day(as_of), Settings(), progress, ReadOptions(encoding=encoding, sheet=sheet)
        )
        positions = analysis.positions
        if out.suffix.lower() in (".xlsx", ".html"):
            name = orders.stem if orders is not None else str(workspace)
            workspace_settings = analysis.settings.workspace
            occasion = Occasion(
                company=name,
                generated_at=now(workspace_settings.time_zone),
                language=terminal.language,
                currency=currency or workspace_settings.currency,
                rejected=rejected,
            )
            data = report_data(analysis, occasion)
            (write_workbook if out.suffix.lower() == ".xlsx" else write_report)(data, out)
        else:
            write_frame(positions, out)
    for note in notes:
        terminal.note(note)
    counts = dict(positions.group_by("quadrant").len().iter_rows())
    terminal.line(
        " · ".join(f"{letter or '?'} {counts[letter]:,}" for letter in sorted(counts, key=lambda q: q or "Z"))
    )
    terminal.line(getattr(analysis.thresholds, f"why_{terminal.language}"))
    terminal.say("first_map", path=out)
    terminal.document(
        {
            "out": out,
            "customers": positions.height,
            "quadrants": {letter or "unknown": count for letter, count in counts.items()},
            "thresholds": analysis.thresholds,
            "as_of": analysis.as_of,
            "rejected": rejected,
        }
    )
