"""The reductions of large tables, written once in the subset of `docs/reference/sql-subset.md`.

They read three tables: `sales` (customer_id, order_id, product_id, day, quantity, amount: net product lines),
`product_families` (product_id, family) and `touches` (customer_id, day, kind, minutes). One rule holds in all: an order
belongs to one customer, the first by id that its lines name, and to one day, its earliest; orders that name nobody are
anonymous and stand behind no customer. Lines without an order or a product, or on or after `$as_of`, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_HEADS: Final = """WITH heads AS (
  SELECT order_id, min(customer_id) AS customer_id, min(day) AS day,
    CAST(count(*) AS BIGINT) AS lines, sum(coalesce(CAST(amount AS DOUBLE), CAST(0 AS DOUBLE))) AS amount
  FROM sales
  WHERE day < $as_of AND order_id IS NOT NULL AND product_id IS NOT NULL
  GROUP BY order_id
)"""

_BASKETS: Final = """WITH baskets AS (
  SELECT DISTINCT order_id, product_id FROM sales
  WHERE day < $as_of AND order_id IS NOT NULL AND product_id IS NOT NULL
)"""

_NAMED_LINES: Final = """,
named AS (
  SELECT h.customer_id AS customer_id, s.order_id AS order_id, s.product_id AS product_id, h.day AS day,
    coalesce(CAST(s.quantity AS DOUBLE), CAST(1 AS DOUBLE)) AS quantity,
    coalesce(CAST(s.amount AS DOUBLE), CAST(0 AS DOUBLE)) AS amount
  FROM sales AS s JOIN heads AS h ON s.order_id = h.order_id
  WHERE s.day < $as_of AND s.product_id IS NOT NULL AND h.customer_id IS NOT NULL
)"""

# A quantile with linear interpolation is the sum of the values under a hat one rank wide around the wanted rank: it
# needs neither quantile_cont nor a float → integer cast. Ranks and weights are multiples of 1/4, so nothing rounds.
_QUARTILES: Final = """,
gaps AS (
  SELECT customer_id, CAST(date_diff('day', previous_day, day) AS DOUBLE) AS gap
  FROM (SELECT customer_id, day, lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS previous_day FROM days) AS d
  WHERE previous_day IS NOT NULL
),
ranked AS (
  SELECT customer_id, gap,
    CAST(row_number() OVER (PARTITION BY customer_id ORDER BY gap) - 1 AS DOUBLE) AS place,
    CAST(count(*) OVER (PARTITION BY customer_id) - 1 AS DOUBLE) AS top
  FROM gaps
)
SELECT customer_id, CAST(count(*) AS BIGINT) AS gaps,
  sum(gap * greatest(CAST(0 AS DOUBLE), 1 - abs(place - top * CAST(0.25 AS DOUBLE)))) AS lower_quartile,
  sum(gap * greatest(CAST(0 AS DOUBLE), 1 - abs(place - top * CAST(0.5 AS DOUBLE)))) AS median,
  sum(gap * greatest(CAST(0 AS DOUBLE), 1 - abs(place - top * CAST(0.75 AS DOUBLE)))) AS upper_quartile
FROM ranked
GROUP BY customer_id"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT with what it gives and what it needs."""

    text: str
    meaning: str
    tables: tuple[str, ...]
    """Tables that must be bound."""
    parameters: tuple[str, ...]
    """Names behind `$`; all are days."""
    key: tuple[str, ...]
    """Columns no two rows share."""


STATEMENTS: Final[Mapping[str, Statement]] = MappingProxyType(
    {
        "customer_orders": Statement(
            _HEADS
            + """
SELECT customer_id, CAST(count(*) AS BIGINT) AS orders, CAST(sum(lines) AS BIGINT) AS lines,
  min(day) AS first_day, max(day) AS last_day, sum(amount) AS amount,
  sum(CASE WHEN day >= $year_start THEN amount ELSE CAST(0 AS DOUBLE) END) AS amount_12m,
  sum(CASE WHEN day >= $previous_start AND day < $year_start THEN amount ELSE CAST(0 AS DOUBLE) END)
    AS amount_prev_12m,
  CAST(count(CASE WHEN day >= $year_start THEN 1 END) AS BIGINT) AS orders_12m
FROM heads
WHERE customer_id IS NOT NULL
GROUP BY customer_id""",
            "orders, lines, days and yen of each customer",
            ("sales",),
            ("as_of", "year_start", "previous_start"),
            ("customer_id",),
        ),
        "customer_product_counts": Statement(
            _HEADS
            + _NAMED_LINES
            + """
SELECT customer_id, CAST(count(DISTINCT product_id) AS BIGINT) AS products
FROM named
GROUP BY customer_id""",
            "distinct products of each customer",
            ("sales",),
            ("as_of",),
            ("customer_id",),
        ),
        "customer_products": Statement(
            _HEADS
            + _NAMED_LINES
            + """
SELECT customer_id, product_id, CAST(count(DISTINCT order_id) AS BIGINT) AS orders,
  CAST(count(DISTINCT day) AS BIGINT) AS days, CAST(count(*) AS BIGINT) AS lines, sum(quantity) AS quantity,
  sum(amount) AS amount, min(day) AS first_day, max(day) AS last_day
FROM named
GROUP BY customer_id, product_id""",
            "history of each customer with each product",
            ("sales",),
            ("as_of",),
            ("customer_id", "product_id"),
        ),
        "customer_families": Statement(
            _HEADS
            + _NAMED_LINES
            + """
SELECT n.customer_id AS customer_id, f.family AS family, CAST(count(DISTINCT n.order_id) AS BIGINT) AS orders,
  min(n.day) AS first_day, max(n.day) AS last_day, sum(n.amount) AS amount,
  sum(CASE WHEN n.day >= $year_start THEN n.amount ELSE CAST(0 AS DOUBLE) END) AS amount_12m,
  sum(CASE WHEN n.day >= $previous_start AND n.day < $year_start THEN n.amount ELSE CAST(0 AS DOUBLE) END)
    AS amount_prev_12m
FROM named AS n JOIN product_families AS f ON n.product_id = f.product_id
WHERE f.family IS NOT NULL
GROUP BY n.customer_id, f.family""",
            "spend of each customer in each family, by window",
            ("sales", "product_families"),
            ("as_of", "year_start", "previous_start"),
            ("customer_id", "family"),
        ),
        "order_gaps": Statement(
            _HEADS
            + """,
days AS (SELECT DISTINCT customer_id, day FROM heads WHERE customer_id IS NOT NULL)"""
            + _QUARTILES,
            "quartiles of the days between a customer's order days",
            ("sales",),
            ("as_of",),
            ("customer_id",),
        ),
        "touch_gaps": Statement(
            """WITH days AS (
  SELECT DISTINCT customer_id, day FROM touches WHERE customer_id IS NOT NULL AND day < $as_of
)"""
            + _QUARTILES,
            "quartiles of the days between a customer's touch days",
            ("touches",),
            ("as_of",),
            ("customer_id",),
        ),
        "customer_touches": Statement(
            """WITH seen AS (SELECT customer_id, day, kind, CAST(minutes AS DOUBLE) AS minutes FROM touches
  WHERE customer_id IS NOT NULL AND day < $as_of)
SELECT customer_id, CAST(count(CASE WHEN day >= $year_start THEN 1 END) AS BIGINT) AS touches_12m,
  CAST(count(CASE WHEN day >= $year_start AND kind = 'visit' THEN 1 END) AS BIGINT) AS visits_12m,
  sum(CASE WHEN day >= $year_start THEN coalesce(minutes, CAST(0 AS DOUBLE)) ELSE CAST(0 AS DOUBLE) END)
    AS touch_minutes_12m,
  max(day) AS last_touch_day
FROM seen
GROUP BY customer_id""",
            "touches, visits and minutes spent on each customer",
            ("touches",),
            ("as_of", "year_start"),
            ("customer_id",),
        ),
        "product_orders": Statement(
            _BASKETS
            + """
SELECT product_id, CAST(count(*) AS BIGINT) AS orders FROM baskets GROUP BY product_id""",
            "distinct orders that hold each product",
            ("sales",),
            ("as_of",),
            ("product_id",),
        ),
        "pair_counts": Statement(
            _BASKETS
            + """
SELECT a.product_id AS product_id, b.product_id AS other_product_id, CAST(count(*) AS BIGINT) AS together
FROM baskets AS a JOIN baskets AS b ON a.order_id = b.order_id AND a.product_id < b.product_id
GROUP BY a.product_id, b.product_id""",
            "distinct orders that hold both products of a pair, each pair once: the slow reference of the pair kernel",
            ("sales",),
            ("as_of",),
            ("product_id", "other_product_id"),
        ),
    }
)
"""Every statement by name."""
