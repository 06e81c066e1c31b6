"""One file in, one result out, without a workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from nobishiro.contracts.errors import FileNotUsable, NotEnoughHistory
from nobishiro.contracts.protocols import ProgressReport, no_progress
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.analysis import Analysis, Inputs
from nobishiro.engine.intake.importing import prepare_import
from nobishiro.engine.intake.raw import ReadOptions
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.settings import Settings
from nobishiro.engine.store.types import polars_schema
from nobishiro.pipelines.import_file import choose_mapping

_TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
_NEEDED: Final = frozenset(("customer_id", "order_id", "product_id", "ordered_at"))


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What a file gives to an analysis, and what was said while reading it."""

    inputs: Inputs
    notes: tuple[str, ...]
    rejected: int
    source: str


def open_orders(
    path: Path,
    settings: Settings,
    today: date,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    progress: ProgressReport = no_progress,
) -> OpenedFile:
    """Order lines of one file, with sensible defaults for everything that can be guessed.

    A Parquet file with canonical columns is taken as it is, ids keep their type. Any other file, and one whose codes or
    dates are of another kind (text dates, time zones, codes as floats), is read, mapped by its headers and cleaned as
    an import would. Raises as reading and mapping do.
    """
    if path.suffix.lower() == ".parquet" and path.is_file():
        try:
            lines = pl.scan_parquet(path)
            schema = lines.collect_schema()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise FileNotUsable(f"{path.name}: is not readable as Parquet ({error}); write it again") from error
        if _is_canonical(schema):
            return OpenedFile(Inputs(lines, _masters_in(lines, set(schema)), (str(path),)), (), 0, path.name)
    raw = read_source(path, options, settings.imports, progress)
    mapping = choose_mapping(raw, table="order_lines")
    prepared = prepare_import(
        raw, mapping, settings.imports, today, time_zone=settings.workspace.time_zone, progress=progress
    )
    tables = {name: frame for name, frame in prepared.tables.items() if name != "order_lines"}
    masters = {name: _whole(name, frame) for name, frame in tables.items()}
    lines = prepared.tables["order_lines"].lazy()
    return OpenedFile(Inputs(lines, MappingProxyType(masters)), prepared.notes, prepared.rejected.height, path.name)


def analyse_file(
    path: Path,
    settings: Settings,
    today: date,
    as_of: date | None,
    *,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    progress: ProgressReport = no_progress,
) -> tuple[Analysis, OpenedFile]:
    """The analysis of one file. Raises `NotEnoughHistory` when no sale is left before `as_of`."""
    opened = open_orders(path, settings, today, options=options, progress=progress)
    analysis = Analysis(opened.inputs, as_of, settings, progress=progress)
    if not analysis.sales.line_product.size:
        before = f" before {as_of}" if as_of else ""
        raise NotEnoughHistory(f"{path.name}: no sales of any product are left{before}; give a file with more orders")
    return analysis, opened


def _is_canonical(schema: pl.Schema) -> bool:
    """Whether order lines of this schema need no reading: the needed columns are there, as codes and plain moments."""
    if not set(schema) >= _NEEDED:
        return False
    codes = (schema[name] for name in _NEEDED if name != "ordered_at")
    moment = schema["ordered_at"]
    plain = moment == pl.Date or (isinstance(moment, pl.Datetime) and moment.time_zone is None)
    numbers = (schema[name] for name in ("quantity", "amount") if name in schema)
    return plain and all(kind.is_integer() or kind in _TEXTS for kind in codes) and all(k.is_numeric() for k in numbers)


def _masters_in(lines: pl.LazyFrame, names: set[str]) -> MappingProxyType[str, pl.DataFrame]:
    """Product names and categories that stand beside the lines, under their canonical names."""
    known = [name for name in ("name", "category", "family", "price", "cost", "kind") if name in names]
    renamed = {"product_name": "name"} if "product_name" in names and "name" not in names else {}
    if not known and not renamed:
        return MappingProxyType({})
    picked = lines.select("product_id", *known, *renamed).rename(renamed)
    first = picked.group_by("product_id").agg(pl.all().drop_nulls().first()).sort("product_id").collect()
    return MappingProxyType({"products": _whole("products", first)})


def _whole(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every declared column; ids keep their type."""
    declared = polars_schema(TABLES[table])
    missing = [pl.lit(None, kind).alias(name) for name, kind in declared.items() if name not in frame.columns]
    return frame.with_columns(missing)
