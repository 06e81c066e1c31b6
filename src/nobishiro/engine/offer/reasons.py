"""Why an offer helps: evidence for the team, and one sentence that may be said to the customer.

Both are built from counts, never from a score. Counts of other customers leave the house only from `count_leaves_from`
buyers up, and never when they say "all of them": whoever knows one of those customers would learn what it buys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

REASONS: Final = ("bought_with", "popular", "due", "regular")
"""Bought by customers who bought something this one bought / bought by many lately / due / bought before."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A template and the columns that fill its gaps, in order."""

    template: str
    columns: tuple[str, ...]

    def filled(self) -> pl.Expr:
        return pl.format(self.template, *(pl.col(name) for name in self.columns))


_LATE, _EARLY, _ALWAYS = "late", "early", "always"
_WHY: Final = {
    "ja": {
        ("bought_with", _ALWAYS): _Sentence(
            "「{}」をご購入の他のお客様{}社のうち{}社が「{}」も購入(このお客様は未購入)",
            ("because_name", "buyers", "both", "product_name"),
        ),
        ("popular", _ALWAYS): _Sentence("直近{}日に{}社が購入(このお客様は未購入)", ("window_days", "buyers")),
        ("due", _LATE): _Sentence(
            "{}回購入、約{}日ごと。前回から{}日で、目安を{}日過ぎています",
            ("days_bought", "_cycle", "elapsed", "_off"),
        ),
        ("due", _EARLY): _Sentence(
            "{}回購入、約{}日ごと。前回から{}日、あと{}日ほどで目安です",
            ("days_bought", "_cycle", "elapsed", "_off"),
        ),
        ("regular", _ALWAYS): _Sentence("{}回購入。前回から{}日", ("days_bought", "elapsed")),
    },
    "en": {
        ("bought_with", _ALWAYS): _Sentence(
            "Of {} other customers who bought “{}”, {} also bought “{}”; this one has not yet",
            ("buyers", "because_name", "both", "product_name"),
        ),
        ("popular", _ALWAYS): _Sentence(
            "Bought by {} customers in the last {} days; not yet by this one", ("buyers", "window_days")
        ),
        ("due", _LATE): _Sentence(
            "Bought {} times, about every {} days; {} days since, {} past due",
            ("days_bought", "_cycle", "elapsed", "_off"),
        ),
        ("due", _EARLY): _Sentence(
            "Bought {} times, about every {} days; {} days since, due in about {}",
            ("days_bought", "_cycle", "elapsed", "_off"),
        ),
        ("regular", _ALWAYS): _Sentence("Bought {} times; {} days since", ("days_bought", "elapsed")),
    },
}
_SAY: Final = {
    "ja": {
        "bought_with": _Sentence(
            "「{}」をお使いのお客様{}社のうち{}社が、「{}」もあわせてお選びです。",
            ("because_name", "buyers", "both", "product_name"),
        ),
        "popular": _Sentence(
            "「{}」は、ここ{}日で{}社のお客様にお選びいただいています。", ("product_name", "window_days", "buyers")
        ),
        "due": _Sentence(
            "前回の「{}」から{}日ほど経ちました。そろそろご入り用ではありませんか。", ("product_name", "elapsed")
        ),
    },
    "en": {
        "bought_with": _Sentence(
            "Of {} customers who use “{}”, {} also chose “{}”.", ("buyers", "because_name", "both", "product_name")
        ),
        "popular": _Sentence(
            "“{}” was chosen by {} customers in the last {} days.", ("product_name", "buyers", "window_days")
        ),
        "due": _Sentence(
            "It has been about {} days since you last had “{}”. Would you be needing more soon?",
            ("elapsed", "product_name"),
        ),
    },
}


def add_evidence(offers: pl.DataFrame) -> pl.DataFrame:
    """The offers with `evidence`: the counts and ids behind the reason, as JSON."""
    because = pl.struct(pl.concat_list("because_id").alias("because"), "buyers", "both").struct.json_encode()
    popular = pl.struct("buyers", "window_days").struct.json_encode()
    history = pl.struct(
        "days_bought",
        _whole("cycle").alias("cycle_days"),
        pl.col("elapsed").alias("elapsed_days"),
        pl.col("last_day").dt.to_string(),
    ).struct.json_encode()
    return offers.with_columns(
        pl.when(pl.col("reason") == "bought_with")
        .then(because)
        .when(pl.col("reason") == "popular")
        .then(popular)
        .otherwise(history)
        .alias("evidence")
    )


def add_sentences(offers: pl.DataFrame, count_leaves_from: int) -> pl.DataFrame:
    """The offers with `why_ja`, `why_en`, `say_ja` and `say_en`.

    `offers` has `reason` (one of `REASONS`), `product_name` and, for `bought_with`: `because_id`, `because_name`,
    `buyers` (other customers who bought the latter) and `both` (of those, who bought this product as well); for
    `popular`: `buyers` and `window_days`; for `due` and `regular`: `days_bought`, `cycle`, `elapsed` (days; `cycle` may
    be NaN) and `last_day`. `say_*` is empty where nothing may be said.
    """
    late = pl.col("elapsed") - _whole("cycle")
    worked = offers.with_columns(_whole("cycle").alias("_cycle"), late.abs().alias("_off"))
    return worked.with_columns(
        *(_why(language, late > 0) for language in _WHY),
        *(_say(language, count_leaves_from) for language in _SAY),
    ).drop("_cycle", "_off")


def may_leave(both: pl.Expr, buyers: pl.Expr, count_leaves_from: int) -> pl.Expr:
    """Whether "`both` of `buyers`" may be told to somebody outside."""
    return (both >= count_leaves_from) & (both < buyers)


def _whole(column: str) -> pl.Expr:
    return pl.col(column).fill_nan(None).round(0).cast(pl.Int64)


def _why(language: str, late: pl.Expr) -> pl.Expr:
    text = pl.lit("")
    for (reason, when), sentence in _WHY[language].items():
        applies = pl.col("reason") == reason
        if when != _ALWAYS:
            applies = applies & (late if when == _LATE else ~late)
        text = pl.when(applies).then(sentence.filled()).otherwise(text)
    return text.alias(f"why_{language}")


def _say(language: str, count_leaves_from: int) -> pl.Expr:
    allowed = {
        "bought_with": may_leave(pl.col("both"), pl.col("buyers"), count_leaves_from),
        "popular": pl.col("buyers") >= count_leaves_from,
        "due": pl.lit(True),
    }
    text = pl.lit("")
    for reason, sentence in _SAY[language].items():
        applies = (pl.col("reason") == reason) & allowed[reason]
        text = pl.when(applies).then(sentence.filled()).otherwise(text)
    return text.alias(f"say_{language}")
