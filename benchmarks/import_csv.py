"""`nobishiro import` of a CSV of order lines by the command line, from starting the interpreter to the commit.

    python benchmarks/import_csv.py [--data DIR] [--lines 1000000] [--encoding utf-8-sig|cp932] [--rounds 3]

The CSV holds the first lines of the generated set as a sales ledger would be handed over: Japanese headers, codes with
letters and leading zeros, the customer's and the product's name on every line, a day, a quantity and an amount. Every
round imports it into a new workspace. Prints one JSON line a round: wall seconds, processor seconds of all threads,
the largest resident memory, and what was committed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

import polars as pl

from data import lines_path, make_lines
from run import run_process, text_id

_COMMAND: Final = "import sys; from nobishiro.cli.main import main; sys.exit(main())"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure `nobishiro import` of a CSV of order lines.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--encoding", choices=("utf-8-sig", "cp932"), default="utf-8-sig")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=300.0)
    arguments = parser.parse_args()
    if not lines_path(arguments.data, "tenth").exists():
        make_lines(arguments.data, "tenth", arguments.seed)
    ledger = arguments.data / f"ledger-{arguments.lines}-{arguments.encoding}.csv"
    if not ledger.exists():
        write_ledger(ledger, lines_path(arguments.data, "tenth"), arguments.lines, arguments.encoding)
    size = round(ledger.stat().st_size / 1e6, 1)
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
            workspace = Path(folder) / "workspace"
            command = [sys.executable, "-c", _COMMAND, "import", str(ledger), "-w", str(workspace), "--json"]
            found = run_process(command, arguments.timeout, quiet=True)
            committed = count_committed(workspace)
        line = {"job": "import", "file_mb": size, "encoding": arguments.encoding, "round": number + 1}
        print(json.dumps({**line, **found, **committed}), flush=True)


def write_ledger(path: Path, lines: Path, count: int, encoding: str) -> None:
    """The first `count` lines as a ledger."""
    product = pl.col("product_id").cast(pl.String)
    customer = pl.col("customer_id").cast(pl.String)
    rows = (
        pl.scan_parquet(lines)
        .head(count)
        .select(
            text_id("O", "order_id", 9).alias("受注番号"),
            pl.col("ordered_at").dt.strftime("%Y/%m/%d").alias("受注日"),
            text_id("C", "customer_id", 6).alias("得意先コード"),
            (pl.lit("株式会社得意先") + customer).alias("得意先名"),
            text_id("P", "product_id", 5).alias("商品コード"),
            (pl.lit("商品") + product + " 標準品").alias("商品名"),
            pl.col("quantity").alias("数量"),
            pl.col("amount").round(0).cast(pl.Int64).alias("金額"),
        )
        .collect()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rows.write_csv().encode(encoding))


def count_committed(workspace: Path) -> dict[str, int]:
    """Rows of each table in the newest commit."""
    from nobishiro.engine.store.store import Store

    head = Store.open(workspace).head()
    if head is None:
        return {}
    return {state.name: sum(entry.rows for entry in state.files) for state in head.tables}


if __name__ == "__main__":
    main()
