"""Order lines as they were booked become net sales: merged customers, returns netted, codes that are no product out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from nobishiro.engine.intake.cancellations import net_cancellations
from nobishiro.engine.intake.matching import apply_merges
from nobishiro.engine.intake.product_kinds import classify_products
from nobishiro.engine.understand.sales import Sales, encode_sales, load_sales

_NEEDED: Final = ("customer_id", "end_customer_id", "order_id", "product_id", "ordered_at", "quantity", "amount")
_FINDING: Final = {"what": pl.String, "count": pl.Int64, "amount": pl.Float64, "ja": pl.String, "en": pl.String}


@dataclass(frozen=True, slots=True)
class CleanedLines:
    """Net sales and an account of every line that is none."""

    sales: Sales
    findings: pl.DataFrame
    """what, count, amount, ja, en: what was found in the lines and what was done about it."""
    product_kinds: pl.DataFrame
    """Codes that are no product: product_id, name, kind, why_ja, why_en, lines, amount."""


def clean_lines(
    lines: pl.LazyFrame,
    *,
    products: pl.DataFrame,
    merges: pl.DataFrame,
    as_of: date | None,
    files: Sequence[str] = (),
) -> CleanedLines:
    """Net sales of `lines` (canonical order lines) before `as_of`; default the day after the last line.

    A line sold through a dealer counts for the end customer. `products` may say the kind of a product; what it does not
    say is judged from codes, names and prices. `files` are the Parquet files behind `lines`: where nothing needs to be
    netted, merged or left out they are streamed, so that the lines are never in memory as a table.
    """
    columns = [name for name in _NEEDED if name in lines.collect_schema().names()]
    lines = lines.select(columns)
    kinds = classify_products(products if not products.is_empty() else None, _judged_lines(lines, columns))
    excluded = kinds.select("product_id")
    total, negative, dealt = _look(lines, columns)
    untouched = not negative and not dealt and excluded.is_empty() and merges.is_empty()
    if untouched and files and set(columns) >= {"customer_id", "order_id", "product_id", "ordered_at"}:
        sales = load_sales(files, as_of)
        return CleanedLines(
            sales, _findings([_read(total, float(sales.line_amount.sum()) if sales.has_amounts else 0.0)]), kinds
        )
    frame = lines.collect(engine="streaming")
    if dealt:
        frame = frame.with_columns(pl.coalesce("end_customer_id", "customer_id").alias("customer_id"))
    frame = frame.drop("end_customer_id", strict=False)
    if not merges.is_empty():
        frame = apply_merges(frame, merges)
    found = [_read(total, _yen(frame))]
    if not excluded.is_empty():
        out = frame.join(excluded, on="product_id", how="semi")
        found.append(_non_products(out, excluded.height))
        frame = frame.join(excluded, on="product_id", how="anti", maintain_order="left")
    if negative:
        netted = net_cancellations(frame)
        frame = netted.lines
        found += _netted(netted.matched_lines, netted.matched_amount, netted.unmatched, netted.adjustments)
    if "customer_id" in frame.columns and (anonymous := frame["customer_id"].null_count()):
        found.append(_anonymous(anonymous, _yen(frame.filter(pl.col("customer_id").is_null()))))
    return CleanedLines(encode_sales(frame, as_of), _findings(found), kinds)


def _judged_lines(lines: pl.LazyFrame, columns: Sequence[str]) -> pl.DataFrame:
    """What the judgement of codes needs: every line of codes without a digit, one summed line of each other code.

    Only codes without a digit are judged by how their prices vary; the others are far too many to be read line by line.
    """
    numbers = [pl.col(name).cast(pl.Float64) for name in ("quantity", "amount") if name in columns]
    summed = lines.group_by("product_id").agg(number.sum() for number in numbers).collect(engine="streaming")
    has_digit = summed["product_id"].cast(pl.String).str.contains(r"\d")
    others = summed.filter(has_digit).sort("product_id")
    wordy = summed.filter(~has_digit)["product_id"]
    if wordy.is_empty():
        return others
    each = lines.filter(pl.col("product_id").is_in(wordy.implode())).select("product_id", *numbers)
    return pl.concat([each.collect(engine="streaming"), others], how="diagonal")


def _look(lines: pl.LazyFrame, columns: Sequence[str]) -> tuple[int, int, int]:
    """How many lines there are, how many may take something back, how many name an end customer."""
    signs = [pl.col(name) < 0 for name in ("quantity", "amount") if name in columns]
    zero = [pl.col(name) == 0 for name in ("quantity", "amount") if name in columns]
    odd = pl.any_horizontal(signs + zero).sum() if signs else pl.lit(0)
    dealt = pl.col("end_customer_id").is_not_null().sum() if "end_customer_id" in columns else pl.lit(0)
    row = lines.select(pl.len().alias("n"), odd.alias("odd"), dealt.alias("dealt")).collect(engine="streaming").row(0)
    return int(row[0]), int(row[1] or 0), int(row[2] or 0)


def _yen(frame: pl.DataFrame) -> float:
    return float(frame["amount"].cast(pl.Float64).sum()) if "amount" in frame.columns else 0.0


def _findings(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_FINDING)


def _finding(what: str, count: int, amount: float, ja: str, en: str) -> dict[str, object]:
    return {"what": what, "count": count, "amount": amount, "ja": ja, "en": en}


def _read(total: int, amount: float) -> dict[str, object]:
    return _finding("lines", total, amount, "読み込んだ受注明細", "order lines read")


def _non_products(out: pl.DataFrame, codes: int) -> dict[str, object]:
    return _finding(
        "non_products",
        out.height,
        _yen(out),
        f"送料・調整など商品ではないコード{codes:,}種を分析から外しました",
        f"lines of {codes:,} codes that are no product (postage, adjustments …) were left out",
    )


def _netted(matched: int, amount: float, unmatched: pl.DataFrame, adjustments: pl.DataFrame) -> list[dict[str, object]]:
    rows = [
        _finding(
            "netted",
            matched,
            -amount,
            "取消・返品を元の受注から差し引きました",
            "cancellations and returns taken off the order they belong to",
        )
    ]
    if not unmatched.is_empty():
        rows.append(
            _finding(
                "unmatched",
                unmatched.height,
                _yen(unmatched),
                "元の受注が見つからない返品。どの売上からも引いていません",
                "returns without an original; taken off no sale",
            )
        )
    if not adjustments.is_empty():
        rows.append(
            _finding(
                "adjustments",
                adjustments.height,
                _yen(adjustments),
                "数量や金額だけの調整行。売上に数えていません",
                "adjustments of quantity or amount alone; not counted as sales",
            )
        )
    return rows


def _anonymous(count: int, amount: float) -> dict[str, object]:
    return _finding(
        "anonymous",
        count,
        amount,
        "顧客コードのない明細。一緒に売れる商品にだけ使いました",
        "lines without a customer; used for what sells together only",
    )
