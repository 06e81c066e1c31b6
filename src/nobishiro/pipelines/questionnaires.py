"""Filled-in questionnaires: one row a customer and one column a question become one row an answer.

Sheets filled in at a fair or in a showroom have a column for each question. Only questions we print ourselves
(`QUESTIONNAIRES`) are turned, so that no other table is ever taken for a questionnaire.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from nobishiro.engine.intake.headers import find_headers, header_key
from nobishiro.engine.intake.raw import RawTable

_CUSTOMER: Final = ("顧客コード", "得意先コード", "Customer", "顧客名", "会社名", "お名前", "氏名")
_DAY: Final = ("回答日", "回答日時", "来店日", "記入日", "Answered at")
_KEPT: Final = (*_CUSTOMER, *_DAY, "先方担当者コード", "アンケート名")


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One form: its name and its questions, as they are printed in the header."""

    name: str
    ja: str
    en: str
    questions: tuple[str, ...]


QUESTIONNAIRES: Final = (
    Questionnaire(
        "car_dealer",
        "来店アンケート",
        "Showroom questionnaire",
        ("現在お乗りの車", "購入した時期", "ご来店の目的", "購入予定時期", "求める機能・お好み"),
    ),
    Questionnaire(
        "fair",
        "展示会アンケート",
        "Fair questionnaire",
        (
            "ご興味のある商品",
            "現在お使いの製品・仕入先",
            "お困りごと",
            "導入予定時期",
            "ご予算",
            "決裁にかかわる部署",
            "おすすめ度",
        ),
    ),
)


def answers_in_rows(raw: RawTable) -> RawTable | None:
    """`raw` with one row an answer when it is one of our questionnaires; None when it is anything else.

    All questions of the form have to be there, and who answered and when.
    """
    names = raw.frame.columns
    keys = {header_key(name) for name in names}
    form = next((f for f in QUESTIONNAIRES if all(header_key(q) in keys for q in f.questions)), None)
    who = find_headers(_CUSTOMER, names)
    day = find_headers(_DAY, names)
    if form is None or not who or not day:
        return None
    asked = find_headers(form.questions, names)
    kept = list(dict.fromkeys(find_headers(_KEPT, names).values()))
    rows = raw.frame.with_columns(raw.lines.alias("\x00line")).with_row_index("\x00row")
    parts = [
        rows.select(
            "\x00row",
            "\x00line",
            pl.lit(place).alias("\x00place"),
            *kept,
            *([] if "アンケート名" in kept else [pl.lit(form.ja).alias("アンケート名")]),
            pl.lit(question).alias("設問"),
            pl.col(asked[question]).cast(pl.String).alias("回答"),
        )
        for place, question in enumerate(form.questions)
    ]
    long = pl.concat(parts).filter(pl.col("回答").is_not_null()).sort("\x00row", "\x00place")
    said = f"questionnaire: {len(form.questions)} question columns turned into rows with 設問 and 回答"
    return replace(
        raw,
        frame=long.drop("\x00row", "\x00line", "\x00place"),
        lines=long["\x00line"].alias("line"),
        guess=replace(raw.guess, notes=(*raw.guess.notes, said)),
    )
