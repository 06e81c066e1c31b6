"""How much the potential knows that current spend does not: a time split on real sales, peers in the same run.

    python benchmarks/potential.py                      the bundled Online Retail II, the official cut 2011-04-01
    python benchmarks/potential.py --cut 2010-06-01     another cut, any number of times
    python benchmarks/potential.py --orders FILE        your own: customer_id, order_id, product_id, family, ordered_at,
                                                        amount (Parquet or CSV)

Population: every customer with at least one net sale strictly before the cut (also those who lapsed long ago).
Outcome: their spend in the 183 days from the cut on, in families they had never bought before it. Given: their spend in
the 365 days before the cut. Partial Spearman: all three ranked (ties share a rank), the correlation of what is left of
two when the third is taken out linearly. Intervals: 1,000 bootstraps of customers, 2.5 % to 97.5 %. Coverage: share of
customers whose outcome, expressed per year, lies within the 80 % interval of their potential.

Online Retail II is cleaned by quantity > 0, price > 0, a stock code of five digits, a customer; families are the last
word of the description, the 150 with most lines (fixed on the whole file); other products have none. Every model fits
on what lies before the cut. Prints JSON lines.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import rankdata

from nobishiro.engine.settings import PotentialSettings
from nobishiro.engine.understand.comparables import choose_comparables
from nobishiro.engine.understand.exploration import Float64, look_at_cut
from nobishiro.engine.understand.potential import estimate_potential
from nobishiro.engine.understand.sales import encode_sales

_BUNDLED = Path(__file__).parent.parent / "src/nobishiro/demo_data/online_retail_ii.parquet"
_EPOCH = date(1970, 1, 1)
WINDOW = 183
YEAR = 365
FAMILIES = 150


def read_online_retail(path: Path) -> pl.DataFrame:
    rows = pl.read_parquet(path).filter(
        pl.col("Quantity") > 0,
        pl.col("Price") > 0,
        pl.col("StockCode").str.contains(r"^\d{5}"),
        pl.col("Customer ID").is_not_null(),
        ~pl.col("Invoice").str.starts_with("C"),
    )
    names = (
        rows.group_by("StockCode", pl.col("Description").str.strip_chars().str.to_uppercase())
        .len()
        .sort("len", "Description", descending=[True, False])
        .group_by("StockCode", maintain_order=True)
        .first()
        .with_columns(pl.col("Description").str.split(" ").list.last().alias("family"))
    )
    lines = rows.join(names.select("StockCode", "family"), on="StockCode")
    common = lines.group_by("family").len().sort("len", "family", descending=[True, False]).head(FAMILIES)["family"]
    return lines.select(
        pl.col("Customer ID").cast(pl.String).alias("customer_id"),
        pl.col("Invoice").alias("order_id"),
        pl.col("StockCode").alias("product_id"),
        pl.when(pl.col("family").is_in(common.implode())).then(pl.col("family")).alias("family"),
        pl.col("InvoiceDate").cast(pl.Date).alias("ordered_at"),
        (pl.col("Quantity") * pl.col("Price")).alias("amount"),
    )


def partial_spearman(score: Float64, outcome: Float64, given: Float64) -> float:
    if np.array_equal(score, given):
        return 0.0
    a, b, z = (rankdata(values) for values in (score, outcome, given))
    if min(np.ptp(a), np.ptp(b), np.ptp(z)) == 0:
        return float("nan")
    ab, az, bz = np.corrcoef(a, b)[0, 1], np.corrcoef(a, z)[0, 1], np.corrcoef(b, z)[0, 1]
    return float((ab - az * bz) / np.sqrt((1 - az**2) * (1 - bz**2)))


def spearman(a: Float64, b: Float64) -> float:
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def bootstrap(score: Float64, outcome: Float64, given: Float64, rounds: int) -> tuple[float, float]:
    generator = np.random.default_rng(7)
    found = []
    for _ in range(rounds):
        drawn = generator.integers(0, score.size, score.size)
        found.append(partial_spearman(score[drawn], outcome[drawn], given[drawn]))
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def judge(lines: pl.DataFrame, cut: date, rounds: int) -> None:
    until = cut + timedelta(days=WINDOW)
    if _day(lines["ordered_at"].max()) < until - timedelta(days=1):
        print(json.dumps({"cut": str(cut), "note": f"the data end before {until}: the outcome is cut short"}))
    past = lines.filter(pl.col("ordered_at") < cut)
    product_family = past.select("product_id", "family").unique("product_id", keep="first", maintain_order=True)
    started = time.perf_counter()
    sales = encode_sales(past, cut)
    encoded = time.perf_counter() - started
    started = time.perf_counter()
    result = estimate_potential(sales, product_family, None, None, PotentialSettings())
    seconds = time.perf_counter() - started
    ids = sales.customers.cast(pl.String)
    got = pl.DataFrame({"customer_id": ids}).join(
        result.by_customer, on="customer_id", how="left", maintain_order="left"
    )
    bought = past.filter(pl.col("family").is_not_null()).select("customer_id", "family").unique()
    new = (
        lines.filter(pl.col("ordered_at") >= cut, pl.col("ordered_at") < until, pl.col("family").is_not_null())
        .join(bought, on=["customer_id", "family"], how="anti")
        .group_by("customer_id")
        .agg(pl.col("amount").sum().alias("new"))
    )
    spent = (
        past.filter(pl.col("ordered_at") >= cut - timedelta(days=YEAR))
        .group_by("customer_id")
        .agg(pl.col("amount").sum().alias("given"))
    )
    got = got.join(new, on="customer_id", how="left", maintain_order="left")
    got = got.join(spent, on="customer_id", how="left", maintain_order="left")
    outcome = got["new"].fill_null(0.0).to_numpy()
    given = got["given"].fill_null(0.0).to_numpy()
    potential = got["potential"].fill_null(0.0).to_numpy()
    known = got["potential"].is_not_null().to_numpy()
    low, high = got["low"].to_numpy(), got["high"].to_numpy()
    yearly = outcome * YEAR / WINDOW
    families = past["family"].drop_nulls().unique().sort()
    codes = pl.DataFrame({"product_id": sales.products}).join(
        product_family, on="product_id", how="left", maintain_order="left"
    )
    coded = codes["family"].replace_strict(families, np.arange(families.len(), dtype=np.int32), default=-1)
    code_array = coded.to_numpy().astype(np.int32)
    now = look_at_cut(sales, code_array, families.len(), sales.as_of_day, WINDOW, YEAR)
    everyone = np.arange(ids.len(), dtype=np.int64)
    alike = choose_comparables(everyone, now.owned, now.current, 50, ids.len(), 7).find(
        everyone, now.owned, now.current
    )
    take_up = alike.buyers / np.maximum(alike.counted, 1)[:, None]
    mean_of_comparables = np.where(now.owned, 0.0, take_up * alike.yen).sum(axis=1)
    head = {
        "cut": str(cut),
        "customers": ids.len(),
        "active_in_year": int((given > 0).sum()),
        "history_days": (cut - _day(past["ordered_at"].min())).days,
        "families": families.len(),
    }
    scores = {
        "nobishiro potential": potential,
        "recent-family spend alone (183 days)": now.lately,
        "recent-family spend alone (91 days)": look_at_cut(
            sales, code_array, families.len(), sales.as_of_day, 91, YEAR
        ).lately,
        "mean of the 50 most comparable": mean_of_comparables,
        "current spend": given,
    }
    for name, score in scores.items():
        row = {
            "score": name,
            "partial_spearman": round(partial_spearman(score, outcome, given), 4),
            "spearman_with_outcome": round(spearman(score, outcome), 4),
            "spearman_with_current": round(spearman(score, given), 4),
        }
        if score is not given:
            row["bootstrap_95"] = [round(end, 4) for end in bootstrap(score, outcome, given, rounds)]
        print(json.dumps({**head, **row}))
    if not known.any():
        print(json.dumps({**head, "abstained": result.not_estimated.why_en if result.not_estimated else ""}))
        return
    inside = (yearly >= low) & (yearly <= high)
    rehearsal = result.rehearsal
    print(json.dumps({**head,
                      "coverage_80": round(float(inside[known].mean()), 4),
                      "below": round(float((yearly < low)[known].mean()), 4),
                      "above": round(float((yearly > high)[known].mean()), 4),
                      "unknown": int((~known).sum()),
                      "partial_of_known": round(partial_spearman(potential[known], outcome[known], given[known]), 4),
                      "no_new_spend": round(float((outcome == 0).mean()), 4),
                      "potential_total": round(float(potential.sum())),
                      "outcome_per_year_total": round(float(yearly.sum())),
                      "rehearsal": None if rehearsal is None else {
                          "horizon": rehearsal.horizon, "cuts": len(rehearsal.cuts), "year": rehearsal.year,
                          "fading": round(rehearsal.fading, 3), "trees": rehearsal.model.with_trees},
                      "encode_seconds": round(encoded, 2), "seconds": round(seconds, 2),
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))  # fmt: skip


def _day(value: object) -> date:
    assert isinstance(value, date)
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cut", action="append", type=date.fromisoformat)
    parser.add_argument("--orders", type=Path)
    parser.add_argument("--bootstraps", type=int, default=1000)
    chosen = parser.parse_args()
    if chosen.orders is None:
        lines = read_online_retail(_BUNDLED)
    elif chosen.orders.suffix == ".csv":
        lines = pl.read_csv(chosen.orders, try_parse_dates=True)
    else:
        lines = pl.read_parquet(chosen.orders)
    lines = lines.with_columns(pl.col("ordered_at").cast(pl.Date), pl.col("customer_id").cast(pl.String))
    for cut in chosen.cut or [date(2011, 4, 1)]:
        judge(lines, cut, chosen.bootstraps)


if __name__ == "__main__":
    main()
