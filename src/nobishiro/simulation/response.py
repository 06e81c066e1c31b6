"""What comes of proposals, with and without them: potential outcomes, so that the true effect is known.

Each asked customer has one number of luck u. They buy without being asked if u < p₀ and, asked, if u < p₁; whom chance
left for later shows the first, the others the second. The difference is what a measurement should find (Rubin 1974).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from nobishiro.simulation.frames import Flags, Float64, Int32, Int64, codes, days, truth


@dataclass(frozen=True, slots=True)
class Asked:
    """Customers who were to be asked, with both outcomes; arrays of equal length."""

    customer: Int64
    product: Int64
    day: Int32
    held_out: Flags
    exempt: Flags
    """Always asked, and left out of the comparison."""
    without: Float64
    """p₀: probability of buying within the window without being asked."""
    asked: Float64
    """p₁: the same when asked."""
    buys_without: Flags
    buys_asked: Flags
    bought: Flags
    """What really happened."""
    bought_day: Int32
    """−1 where nothing was bought."""
    quantity: Int32


def draw_answers(
    random: np.random.Generator,
    customer: Int64,
    product: Int64,
    day: Int32,
    *,
    without: Float64,
    asked: Float64,
    exempt: Flags,
    held_out_share: float,
    window: int,
    quantity: Int32,
) -> Asked:
    """Draw who is left for later and what everybody does; purchases fall 3 to `window` − 1 days after the asking."""
    luck = random.random(customer.size)
    held_out = (random.random(customer.size) < held_out_share) & ~exempt
    buys_without, buys_asked = luck < without, luck < asked
    bought = np.where(held_out, buys_without, buys_asked)
    bought_day = np.where(bought, day + random.integers(3, window, customer.size), -1).astype(np.int32)
    return Asked(
        customer, product, day, held_out, exempt, without, asked, buys_without, buys_asked, bought, bought_day, quantity
    )


RESPONSES = {
    "response_id": pl.String,
    "customer_id": pl.String,
    "product_id": pl.String,
    "play": pl.String,
    "asked_on": pl.Date,
    "arm": pl.String,
    "propensity_without": pl.Float64,
    "propensity_asked": pl.Float64,
    "buys_without": pl.Boolean,
    "buys_asked": pl.Boolean,
    "bought": pl.Boolean,
    "amount_without": pl.Float64,
    "amount_asked": pl.Float64,
    "amount": pl.Float64,
    "order_id": pl.String,
    "proposal_id": pl.String,
}
EFFECTS = {
    "play": pl.String,
    "window_days": pl.Int64,
    "asked": pl.Int64,
    "held_out": pl.Int64,
    "true_effect_rate": pl.Float64,
    "true_effect_yen": pl.Float64,
}


def response_truth(
    answers: Asked,
    play: str,
    prefix: str,
    customers: pl.Series,
    products: pl.Series,
    amount: Int64,
    orders: pl.Series,
    proposals: pl.Series,
) -> pl.DataFrame:
    """Both outcomes of every asked customer, in yen as well; `orders` are the codes of what they bought, or null."""
    arm = np.where(answers.exempt, "exempt", np.where(answers.held_out, "held_out", "asked"))
    return truth(
        {
            "response_id": codes(prefix, np.arange(1, answers.customer.size + 1), 7),
            "customer_id": customers.gather(answers.customer),
            "product_id": products.gather(answers.product),
            "play": play,
            "asked_on": days(answers.day),
            "arm": pl.Series(arm.tolist(), dtype=pl.String),
            "propensity_without": answers.without,
            "propensity_asked": answers.asked,
            "buys_without": answers.buys_without,
            "buys_asked": answers.buys_asked,
            "bought": answers.bought,
            "amount_without": np.where(answers.buys_without, amount, 0),
            "amount_asked": np.where(answers.buys_asked, amount, 0),
            "amount": np.where(answers.bought, amount, 0),
            "order_id": orders,
            "proposal_id": proposals,
        },
        RESPONSES,
    )


def effect_truth(responses: pl.DataFrame, window: int) -> pl.DataFrame:
    """The true mean effect of each play among those who were compared: of the probabilities, not of what was drawn."""
    compared = responses.filter(pl.col("arm") != "exempt")
    gain = pl.col("propensity_asked") - pl.col("propensity_without")
    # everybody's price is known even where they did not buy: the larger of the two amounts, else unknown and left out
    return (
        compared.group_by("play", maintain_order=True)
        .agg(
            pl.lit(window, pl.Int64).alias("window_days"),
            (pl.col("arm") == "asked").sum().cast(pl.Int64).alias("asked"),
            (pl.col("arm") == "held_out").sum().cast(pl.Int64).alias("held_out"),
            gain.mean().alias("true_effect_rate"),
            (pl.col("amount_asked") - pl.col("amount_without")).mean().alias("true_effect_yen"),
        )
        .select(list(EFFECTS))
    )
