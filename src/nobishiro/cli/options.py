"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", envvar="NOBISHIRO_WORKSPACE", help="The company's workspace directory.")
]
MaybeWorkspace = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", envvar="NOBISHIRO_WORKSPACE", help="Read a workspace instead of a file."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for machines.")]
LanguageOption = Annotated[str | None, typer.Option("--lang", help="ja or en (default: NOBISHIRO_LANG, else ja).")]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="YYYY-MM-DD: only what lies before that day counts (default: the day after the last)."
    ),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="File to write; its ending chooses the format.")]
OrdersArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Order lines: Parquet, CSV or Excel with customer, order, product and date.", show_default=False
    ),
]
EncodingOption = Annotated[str | None, typer.Option("--encoding", help="utf-8, cp932 … (default: found).")]
SheetOption = Annotated[str | None, typer.Option("--sheet", help="Excel sheet (default: the most table-like).")]

DEFAULT_WORKSPACE = Path("nobishiro-workspace")
