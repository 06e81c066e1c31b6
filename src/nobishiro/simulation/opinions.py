"""NPS after a purchase, with the reason in words."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.frames import Float64, Int32, Int64, canonical, codes, moments, pick

_REASONS: Final = (
    (9.0, "またお願いしたい。"),
    (7.0, "だいたい満足しています。"),
    (0.0, "待ち時間と説明に不満があります。"),
)


def nps_answers(
    random: np.random.Generator,
    survey: str,
    customer: Int64,
    day: Int32,
    loyalty: Float64,
    ids: pl.Series,
    contact_ids: pl.Series,
) -> pl.DataFrame:
    """A score and its reason from each customer asked; `loyalty` is (N,) the mean of each customer's answers."""
    score = np.clip(np.round(loyalty[customer] + random.normal(0.0, 0.8, customer.size)), 0, 10)
    reason = np.where(score >= _REASONS[0][0], 0, np.where(score >= _REASONS[1][0], 1, 2))
    minute = random.integers(420, 1380, customer.size)
    frames = []
    for number, question in enumerate(("nps", "理由")):
        is_score = question == "nps"
        begin = number * customer.size + 1
        frames.append(
            canonical(
                "survey_answers",
                customer.size,
                {
                    "answer_id": codes("A", np.arange(begin, begin + customer.size), 8),
                    "customer_id": ids.gather(customer),
                    "contact_id": contact_ids.gather(customer),
                    "survey": survey,
                    "question": question,
                    "answer": pl.Series(score.astype(np.int64)).cast(pl.String)
                    if is_score
                    else pick([text for _, text in _REASONS], reason),
                    "score": score if is_score else None,
                    "answered_at": moments(day, minute),
                },
            )
        )
    return pl.concat(frames)
