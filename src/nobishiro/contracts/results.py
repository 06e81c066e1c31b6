"""What a step hands to the next: the result tables of a run, declared like the canonical ones.

A run writes these; pages, reports, Excel and exports read them. Yen that were computed are float64 (SCORE, unit `yen`,
tolerance 0.01 a row); yen that were booked stay MONEY. An empty interval (`low` and `high` null) means "we do not know".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from nobishiro.contracts.tables import (
    FAMILY_STATES,
    QUADRANTS,
    Column,
    ColumnType,
    Home,
    Table,
)

T, I, S, R = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.SCORE, ColumnType.RATE
F, D, M = ColumnType.FLAG, ColumnType.DAY, ColumnType.MONEY

POTENTIAL_BASES: Final = ("told", "estimated", "unknown")
"""把握済み / 推定 / わからない."""
OFFER_KINDS: Final = ("new", "replenishment")
CHANNELS: Final = ("visit", "call", "mail")


def _c(
    name: str,
    type_: ColumnType,
    ja: str,
    en: str,
    meaning: str = "",
    *,
    unit: str | None = None,
    choices: tuple[str, ...] = (),
) -> Column:
    return Column(name, type_, ja, en, meaning or en, False, unit, choices)


def _result(name: str, ja: str, en: str, meaning: str, key: tuple[str, ...], *columns: Column) -> Table:
    return Table(name, ja, en, meaning, Home.HAPPENED, key, columns)


_CUSTOMER = _c("customer_id", T, "顧客コード", "Customer")
_PRODUCT = _c("product_id", T, "商品コード", "Product")
_FAMILY = _c("family", T, "商品群", "Family")
_LOW = _c("low", S, "下限", "Low", "lower end of the 80 % interval", unit="yen")
_HIGH = _c("high", S, "上限", "High", "upper end of the 80 % interval", unit="yen")

_ALL: Final = (
    _result(
        "customer_features",
        "顧客の特徴",
        "Customer features",
        "What a customer does, up to `as_of` (exclusive)",
        ("customer_id",),
        _CUSTOMER,
        _c("orders", I, "受注回数", "Orders", "distinct orders with at least one net sale"),
        _c("lines", I, "明細数", "Lines", "net sales lines"),
        _c("products", I, "商品数", "Products", "distinct products bought"),
        _c("families", I, "商品群数", "Families", "distinct families bought"),
        _c("first_day", D, "初回受注日", "First order"),
        _c("last_day", D, "最終受注日", "Last order"),
        _c("recency_days", I, "経過日数", "Recency", "days from the last order to as_of", unit="days"),
        _c("tenure_days", I, "取引日数", "Tenure", "days from the first order to as_of", unit="days"),
        _c("amount", S, "累計金額", "Amount", "net sales over all time", unit="yen"),
        _c("amount_12m", S, "直近12か月", "Last 12 months", "net sales in the 365 days before as_of", unit="yen"),
        _c("amount_prev_12m", S, "その前の12か月", "12 months before", "the 365 days before those", unit="yen"),
        _c("orders_12m", I, "受注回数(12か月)", "Orders, 12 months"),
        _c("mean_order", S, "平均受注額", "Mean order", "amount over orders", unit="yen"),
        _c("trend", R, "増減率", "Trend", "amount_12m over amount_prev_12m, less one; null without the year before"),
        _c("cycle_days", S, "購入間隔", "Cycle", "median days between order days; null below two gaps", unit="days"),
        _c("cycle_spread_days", S, "間隔のばらつき", "Cycle spread", "interquartile range of the gaps", unit="days"),
        _c("due_day", D, "次回見込み日", "Due", "last order plus the cycle"),
        _c("overdue_days", S, "超過日数", "Overdue", "days past due_day; negative before it", unit="days"),
        _c("top_family", T, "主力商品群", "Main family", "family with the largest net sales in 12 months, else ever"),
        _c("top_family_share", R, "主力の比率", "Main share"),
        _c("new_families_12m", I, "新規商品群(12か月)", "Families opened", "families first bought in the 365 days before as_of"),
        _c("opening_rate", S, "開拓の速さ", "Opening rate", "families first bought per year, the first order's apart"),
        _c("recency_score", I, "R", "R", "quintile, 5 the most recent"),
        _c("frequency_score", I, "F", "F", "quintile, 5 the most frequent"),
        _c("monetary_score", I, "M", "M", "quintile, 5 the largest"),
        _c("touches_12m", I, "接点数(12か月)", "Touches", "null when the company has no touch data at all"),
        _c("visits_12m", I, "訪問数(12か月)", "Visits"),
        _c("touch_hours_12m", S, "接点時間(12か月)", "Hours", unit="hours"),
        _c("last_touch_day", D, "最終接点日", "Last touch"),
        _c("touch_gap_days", S, "接点の間隔", "Touch pace", "median days between touch days", unit="days"),
    ),
    _result(
        "families",
        "商品群",
        "Families",
        "Families given by the company or learned from descriptions and co-purchase",
        ("family",),
        _FAMILY,
        _c("name", T, "名称", "Name", "the given name, or its telling words"),
        _c("learned", F, "推定", "Learned", "learned by us, not given by the company"),
        _c("products", I, "商品数", "Products"),
        _c("customers", I, "顧客数", "Customers"),
        _c("amount_12m", S, "直近12か月", "Last 12 months", unit="yen"),
        _c("words", T, "特徴語", "Telling words", "comma-separated, the most telling first"),
    ),
    _result(
        "product_families",
        "商品と商品群",
        "Product families",
        "Which family each product belongs to",
        ("product_id",),
        _PRODUCT,
        _c("name", T, "商品名", "Name"),
        _FAMILY,
        _c("learned", F, "推定", "Learned"),
    ),
    _result(
        "potential",
        "拡大余地",
        "Potential",
        "Yen a year a customer could still buy from us, by family",
        ("customer_id", "family"),
        _CUSTOMER,
        _FAMILY,
        _c("current", S, "現在の年間購入額", "Current", "net sales in the 365 days before as_of", unit="yen"),
        _c("potential", S, "拡大余地", "Potential", "yen a year still open; null when unknown", unit="yen"),
        _LOW,
        _HIGH,
        _c("basis", T, "根拠の種類", "Basis", "told, estimated or unknown", choices=POTENTIAL_BASES),
        _c("comparable_customers", I, "比較顧客数", "Comparable", "customers the estimate rests on"),
        _c("comparable_buyers", I, "うち購入", "of whom buy", "of those, how many buy this family"),
    ),
    _result(
        "customer_potential",
        "顧客の拡大余地",
        "Customer potential",
        "Potential summed over families, with an interval of the sum",
        ("customer_id",),
        _CUSTOMER,
        _c("current", S, "現在の年間購入額", "Current", unit="yen"),
        _c("potential", S, "拡大余地", "Potential", unit="yen"),
        _LOW,
        _HIGH,
        _c("basis", T, "根拠の種類", "Basis", choices=POTENTIAL_BASES),
        _c("exploration", S, "開拓傾向", "Exploration", "how fast the customer opens families, the score behind the estimate"),
        _c("why_ja", T, "説明", "Why (ja)", "one sentence for the team"),
        _c("why_en", T, "説明(英)", "Why (en)", "one sentence for the team"),
    ),
    _result(
        "positions",
        "顧客マップ",
        "Customer map",
        "Where each customer of the list stands on potential × track record",
        ("customer_id",),
        _CUSTOMER,
        _c("name", T, "顧客名", "Name"),
        _c("state", T, "取引状態", "State"),
        _c("quadrant", T, "区分", "Quadrant", "the one that counts: override, else tags set by hand, else computed", choices=QUADRANTS),
        _c("quadrant_computed", T, "区分(計算)", "Computed", choices=QUADRANTS),
        _c("decided_by", T, "判定", "Decided by", "computed, tags, override or unknown"),
        _c("reason", T, "判定理由", "Reason", "reason of the override"),
        _c("potential", S, "拡大余地", "Potential", unit="yen"),
        _LOW,
        _HIGH,
        _c("potential_basis", T, "余地の根拠", "Basis", choices=POTENTIAL_BASES),
        _c("track_record", S, "実績", "Track record", "net sales in the window", unit="yen"),
        _c("orders_12m", I, "受注回数", "Orders"),
        _c("what_computed", T, "What(計算)", "What, computed", choices=("large", "small", "unknown")),
        _c("what_set", T, "What(設定)", "What, set"),
        _c("pace_computed", T, "Pace(計算)", "Pace, computed", choices=("high", "low", "none")),
        _c("pace_set", T, "Pace(設定)", "Pace, set"),
        _c("visits_computed", T, "訪問", "Visits", choices=("often", "seldom", "none", "unknown")),
        _c("touch_hours_12m", S, "接点時間", "Hours spent", unit="hours"),
        _c("recency_days", I, "経過日数", "Recency", unit="days"),
        _c("last_touch_day", D, "最終接点日", "Last touch"),
        _c("rep_id", T, "担当者コード", "Rep", "main rep, the first by division code when several"),
        _c("division_id", T, "事業部コード", "Division"),
    ),
    _result(
        "gaps",
        "提案もれ",
        "Gap matrix",
        "Customer × family: buying, proposed, not proposed, competitor, not applicable",
        ("customer_id", "family"),
        _CUSTOMER,
        _FAMILY,
        _c("state", T, "状態", "State", choices=FAMILY_STATES),
        _c("proposal_result", T, "提案結果", "Result", "latest result where it was proposed"),
        _c("expected", S, "期待額", "Expected", "yen a year expected if proposed; null when unknown", unit="yen"),
        _LOW,
        _HIGH,
        _c("basis", T, "根拠の種類", "Basis", choices=POTENTIAL_BASES),
        _c("comparable_customers", I, "比較顧客数", "Comparable"),
        _c("comparable_buyers", I, "うち購入", "of whom buy"),
        _c("is_missed", F, "提案もれ", "Missed", "high potential × low pace × not proposed: B's first list"),
        _c("rank", I, "順位", "Rank", "1 is the largest expected yen among the missed"),
    ),
    _result(
        "pairs",
        "一緒に売れる",
        "Bought together",
        "Products bought on the same order more often than chance",
        ("product_id", "other_product_id"),
        _PRODUCT,
        _c("other_product_id", T, "相手商品コード", "Other product"),
        _c("together", I, "同時購入", "Together", "distinct orders holding both"),
        _c("support", R, "支持度", "Support", "share of distinct orders holding both"),
        _c("confidence", R, "確信度", "Confidence", "P(other | product)"),
        _c("lift", S, "リフト", "Lift", "times as often as if independent"),
        _c("llr", S, "対数尤度比", "LLR", "Dunning's G², signed by lift"),
        _c("q_value", R, "q値", "q", "false discovery rate (Benjamini–Hochberg over all pairs that could be counted)"),
        _c("direction", R, "順序", "Direction", "of customers who bought both on different days, the share who bought `product` first; null without any"),
        _c("direction_n", I, "順序の件数", "Direction n", "customers behind `direction`"),
    ),
    _result(
        "recommendations",
        "提案",
        "Recommendations",
        "Per customer: new products and replenishment, ranked apart",
        ("customer_id", "kind", "rank"),
        _CUSTOMER,
        _PRODUCT,
        _c("rank", I, "順位", "Rank", "1 is first, within the kind"),
        _c("score", S, "スコア", "Score", "comparable within a customer and kind"),
        _c("kind", T, "種別", "Kind", "new product or replenishment", choices=OFFER_KINDS),
        _c("reason", T, "理由", "Reason", "code of the reason: bought_with, similar_customers, due, popular_in_segment …"),
        _c("evidence", T, "根拠", "Evidence", "JSON: the counts and ids behind the reason"),
        _c("why_ja", T, "社内用の根拠", "For the team (ja)", "what the team may know"),
        _c("why_en", T, "社内用の根拠(英)", "For the team (en)"),
        _c("say_ja", T, "お客様への一言", "To say (ja)", "what may be said to the customer; empty when nothing may"),
        _c("say_en", T, "お客様への一言(英)", "To say (en)"),
        _c("due_day", D, "次回見込み日", "Due", "replenishment: expected day"),
    ),
    _result(
        "plan",
        "計画",
        "Plan",
        "Who approaches whom with what this month",
        ("rep_id", "customer_id", "channel"),
        _c("rep_id", T, "担当者コード", "Rep"),
        _CUSTOMER,
        _c("name", T, "顧客名", "Name"),
        _c("quadrant", T, "区分", "Quadrant", choices=QUADRANTS),
        _c("channel", T, "手段", "Channel", choices=CHANNELS),
        _c("hours", S, "時間", "Hours", unit="hours"),
        _FAMILY,
        _c("product_id", T, "商品コード", "Product", "first product to speak of"),
        _c("expected", S, "期待額", "Expected", "yen expected from this approach", unit="yen"),
        _LOW,
        _HIGH,
        _c("order", I, "順番", "Order", "1 is first for this rep: A first, B beside it"),
        _c("why_ja", T, "理由", "Why (ja)"),
        _c("why_en", T, "理由(英)", "Why (en)"),
    ),
)  # fmt: skip

RESULTS: Final[Mapping[str, Table]] = MappingProxyType({table.name: table for table in _ALL})
"""Every result table by name, in the order they are computed."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the map is cut, in yen a year, and why, in words."""

    potential: float
    track_record: float
    why_ja: str
    why_en: str
    set_by: str = "computed"


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """How good the plan is: objective, proven bound, hours and the gap to the target."""

    expected: float
    low: float
    high: float
    bound: float
    """No plan within the same hours can expect more than this (yen)."""
    optimality_gap: float
    """(bound − expected) / bound; 0 when proven optimal."""
    hours_available: float
    hours_planned: float
    hours_by_quadrant: tuple[tuple[str, float, float], ...]
    """(quadrant, wished hours, planned hours)."""
    target: float | None
    target_gap: float | None
    """target − what is on course − expected; None without a target."""
    words_ja: str
    words_en: str
