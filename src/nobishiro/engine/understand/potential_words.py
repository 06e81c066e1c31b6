"""One sentence a customer: why the potential is what it is, in a salesperson's words and from counted numbers only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from nobishiro.engine.understand.exploration import Float64
from nobishiro.engine.understand.rehearsal import TooLittle

Counts = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Hints:
    """What the sentences of n customers are made of."""

    basis: npt.NDArray[np.str_]
    opened: Counts
    """Families first bought within a year, the first order's apart."""
    owned: Counts
    """Families ever bought."""
    order_days: Counts
    comparable: Counts
    buyers: Counts
    """Of the comparable customers, how many buy `family`."""
    family: pl.Series
    """The open family with the largest potential; null without one."""
    told: Float64
    """Told yearly total of the customer, NaN untold."""
    current: Float64


def write_reasons(hints: Hints, nothing: TooLittle | None) -> tuple[pl.Series, pl.Series]:
    """(n,) sentences in Japanese and English; `nothing` is why nobody was estimated."""
    rows = zip(
        hints.basis.tolist(), hints.opened.tolist(), hints.owned.tolist(), hints.order_days.tolist(),
        hints.comparable.tolist(), hints.buyers.tolist(), hints.family.to_list(),
        hints.told.tolist(), hints.current.tolist(), strict=True,
    )  # fmt: skip
    ja, en = [], []
    for basis, opened, owned, days, comparable, buyers, family, told, current in rows:
        if basis == "estimated":
            pair = _estimated(opened, owned, comparable, buyers, family)
        elif basis == "told":
            pair = _told(told, current)
        elif nothing is not None:
            pair = nothing.why_ja, nothing.why_en
        elif owned == 0:
            pair = (
                "商品群のわかる購入がまだないため、拡大余地はわかりません。総購入額を聞いてください。",
                "Unknown: nothing bought yet that belongs to a family. Ask for the total spend.",
            )
        else:
            pair = (
                f"受注日が{days}日だけで、比べられる顧客も{comparable}件のため、拡大余地はわかりません。"
                "総購入額を聞いてください。",
                f"Unknown: {days} order day and {comparable} comparable customers. Ask for the total spend.",
            )
        ja.append(pair[0])
        en.append(pair[1])
    return pl.Series(ja, dtype=pl.String), pl.Series(en, dtype=pl.String)


def _estimated(opened: int, owned: int, comparable: int, buyers: int, family: str | None) -> tuple[str, str]:
    if opened:
        ja = f"この1年で新しい商品群を{opened}つ買い始めています(これまでに{owned}群)。"
        en = f"Opened {opened} new families within a year ({owned} so far)."
    else:
        ja = f"この1年、新しい商品群は買い始めていません(これまでに{owned}群)。"
        en = f"Opened no new family within a year ({owned} so far)."
    if family is not None and buyers:
        ja += f"よく似た{comparable}顧客のうち{buyers}顧客が買う「{family}」をまだ買っていません。"
        en += f" {buyers} of {comparable} comparable customers buy {family}, which this customer does not."
    return ja, en


def _told(told: float, current: float) -> tuple[str, str]:
    if told != told:  # only families were told, not the whole
        return (
            "商品群ごとの総購入額を聞いています。当社からの購入額を引いた残りです。",
            "Told by family: what they spend in it less what they buy from us.",
        )
    if told <= current:
        return (
            f"年間の総購入額は{told:,.0f}と聞いており、当社からの{current:,.0f}を引くと余地は残りません。",
            f"Told: {told:,.0f} a year in all, of which {current:,.0f} from us: nothing is left.",
        )
    return (
        f"年間の総購入額は{told:,.0f}と聞いており、当社からは{current:,.0f}、残り{told - current:,.0f}が余地です。",
        f"Told: {told:,.0f} a year in all, {current:,.0f} of it from us: {told - current:,.0f} is left.",
    )
