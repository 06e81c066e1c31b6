"""A fictional company's result tables for the report's tests: のびしろ計器, any number of customers, seeded."""

# ruff: noqa: E501 (sentences of the fictional company stay on one line)

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta

import polars as pl

from nobishiro.contracts.results import RESULTS, PlanSummary, Thresholds
from nobishiro.contracts.tables import ColumnType
from nobishiro.report.data import EXTRA_COLUMNS, Measure, ReportData

AS_OF = date(2026, 11, 21)
FAMILIES = [
    "光電センサ",
    "近接センサ",
    "画像検査",
    "検査用照明",
    "計測ユニット",
    "変位計",
    "制御機器",
    "安全機器",
    "ケーブル・消耗品",
    "保守契約",
]
GRADES = ["E100", "E300", "E500", "Lite", "Std", "Pro", "M8", "M12"]
AREAS = [
    "東和",
    "北信",
    "三栄",
    "大洋",
    "高砂",
    "朝日",
    "西濃",
    "富士見",
    "瑞穂",
    "若葉",
    "白峰",
    "新興",
    "日光",
    "丸善",
    "中央",
    "協和",
    "髙島",
    "山﨑",
    "青葉",
    "浜名",
]
TRADES = [
    "食品機械",
    "精密",
    "電装",
    "樹脂工業",
    "製薬",
    "自動車部品",
    "包装",
    "金属",
    "半導体",
    "物流システム",
    "乳業",
    "印刷",
    "産業",
    "工機",
]
FORMS = ["株式会社{}", "{}株式会社", "㈱{}", "有限会社{}", "{}㈱"]

_TYPES = {
    ColumnType.TEXT: pl.String,
    ColumnType.INTEGER: pl.Int64,
    ColumnType.QUANTITY: pl.Float64,
    ColumnType.MONEY: pl.Float64,
    ColumnType.RATE: pl.Float64,
    ColumnType.SCORE: pl.Float64,
    ColumnType.FLAG: pl.Boolean,
    ColumnType.DAY: pl.Date,
    ColumnType.MOMENT: pl.Datetime("us"),
}


def result_frame(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows as a result table: declared columns and types, what a row leaves out is null."""
    schema = {column.name: _TYPES[column.type] for column in RESULTS[name].columns}
    return pl.DataFrame([{key: row.get(key) for key in schema} for row in rows], schema=schema)


def quadrant_of(potential: float | None, record: float, cut_potential: float, cut_record: float) -> str:
    high_record = record >= cut_record
    if potential is None or potential < cut_potential:
        return "C" if high_record else "D"
    return "A" if high_record else "B"


def company_of_instruments(
    customers: int = 800,
    *,
    touches: bool = True,
    language: str = "ja",
    currency: str = "JPY",
    seed: int = 3,
    lines_a_customer: int = 24,
    hostile: tuple[str, ...] = (),
) -> ReportData:
    """One run's tables with `customers` customers; `hostile` names replace the first products' and customers' names."""
    rng = random.Random(seed)
    products = [
        (
            f"{n:05d}",
            f"{family} {grade}-{size}",
            float(rng.choice([3800, 12000, 48000, 180000, 960000])),
            f"F{index:02d}",
        )
        for n, (index, family, grade, size) in enumerate(
            (i, f, g, s) for i, f in enumerate(FAMILIES) for g in GRADES for s in (1, 2)
        )
    ]
    names = [name for _, name, _, _ in products]
    names[: len(hostile)] = hostile
    cut_potential, cut_record = 1_200_000.0, 900_000.0
    scale = 1.0 if currency == "JPY" else 0.01
    cut_potential, cut_record = cut_potential * scale, cut_record * scale
    positions, gaps, features, potentials, sums, recommendations, history = [], [], [], [], [], [], []
    for n in range(customers):
        code = f"{n + 1:06d}"
        name = rng.choice(FORMS).format(rng.choice(AREAS) + rng.choice(TRADES)) + (
            f" {rng.choice(['本社', '大阪営業所', '浜松工場', '仙台支店'])}" if n % 7 == 0 else ""
        )
        if n < len(hostile):
            name = hostile[n]
        record = 0.0 if rng.random() < 0.07 else scale * 10 ** rng.gauss(5.7, 0.75)
        unknown = rng.random() < 0.06
        total, low_total, high_total = 0.0, 0.0, 0.0
        wish = scale * 10 ** rng.gauss(4.9, 0.55)
        cells = []
        for index in range(len(FAMILIES)):
            state = rng.choices(
                ["buying", "proposed", "not_proposed", "competitor", "not_applicable"], [3, 1, 4.5, 0.5, 1]
            )[0]
            if record == 0 and state == "buying":
                state = "not_proposed"
            room = None if unknown or state == "not_applicable" else wish * 10 ** rng.gauss(0, 0.45)
            low, high = (None, None) if room is None else (room * 0.45, room * 2.1)
            bought = record / 3.5 if state == "buying" else 0.0
            potentials.append(
                {
                    "customer_id": code,
                    "family": f"F{index:02d}",
                    "current": bought,
                    "potential": room,
                    "low": low,
                    "high": high,
                    "basis": "unknown" if room is None else ("told" if rng.random() < 0.1 else "estimated"),
                    "comparable_customers": 40,
                    "comparable_buyers": rng.randint(2, 30),
                }
            )
            if room is not None:
                total, low_total, high_total = total + room, low_total + room * 0.6, high_total + room * 1.6
            share = rng.uniform(0.1, 0.4)
            cells.append(
                {
                    "customer_id": code,
                    "family": f"F{index:02d}",
                    "state": state,
                    "proposal_result": "considering" if state == "proposed" else None,
                    "expected": None if room is None else room * share,
                    "low": None if low is None else low * share,
                    "high": None if high is None else high * share,
                    "basis": "unknown" if room is None else "estimated",
                    "comparable_customers": 40,
                    "comparable_buyers": rng.randint(2, 30),
                }
            )
        known = None if unknown else total
        computed = quadrant_of(known, record, cut_potential, cut_record)
        decided, quadrant, reason = "computed", computed, None
        if rng.random() < 0.01:
            decided, quadrant, reason = "override", "A", "来期に新工場。社長と合意済み"
        for cell in cells:
            cell["is_missed"] = quadrant == "B" and cell["state"] == "not_proposed" and cell["expected"] is not None
        gaps += cells
        hours = (
            None
            if not touches
            else (0.0 if rng.random() < 0.2 else round(rng.expovariate(0.2 if quadrant == "C" else 0.5), 1))
        )
        recency = rng.randint(1, 400) if record else None
        positions.append(
            {
                "customer_id": code,
                "name": name,
                "state": "active" if record else "prospect",
                "quadrant": quadrant,
                "quadrant_computed": computed,
                "decided_by": decided,
                "reason": reason,
                "potential": known,
                "low": None if unknown else low_total,
                "high": None if unknown else high_total,
                "potential_basis": "unknown" if unknown else "estimated",
                "track_record": record,
                "orders_12m": rng.randint(1, 40) if record else 0,
                "what_computed": "unknown" if unknown else ("large" if (known or 0) >= cut_potential else "small"),
                "pace_computed": "high" if record >= cut_record else ("low" if record else "none"),
                "visits_computed": "unknown" if not touches else rng.choice(["often", "seldom", "none"]),
                "touch_hours_12m": hours,
                "recency_days": recency,
                "last_touch_day": AS_OF - timedelta(days=rng.randint(1, 200)) if hours else None,
                "rep_id": f"R{n % 20 + 1:02d}",
                "division_id": "D1",
            }
        )
        sums.append(
            {
                "customer_id": code,
                "current": record,
                "potential": known,
                "low": None if unknown else low_total,
                "high": None if unknown else high_total,
                "basis": "unknown" if unknown else "estimated",
                "exploration": rng.random(),
                "why_ja": "受注が1回だけで、似た顧客も足りないため、拡大余地はまだわかりません。"
                if unknown
                else f"似た顧客 40社のうち 17社が画像検査を購入。この1年で新しい商品群を {n % 4}つ開いています。",
                "why_en": "One order only and too few comparable customers: potential is not known yet."
                if unknown
                else f"17 of 40 comparable customers buy vision inspection; opened {n % 4} new families this year.",
            }
        )
        orders = 0 if not record else rng.randint(1, 14)
        features.append(
            {
                "customer_id": code,
                "orders": orders,
                "lines": orders * 2,
                "amount": record * 3,
                "amount_12m": record,
                "amount_prev_12m": record * 0.8,
                "orders_12m": orders,
                "mean_order": record / max(orders, 1),
                "trend": 0.25 if record else None,
                "recency_days": recency,
                "cycle_days": 34.0 if orders > 3 else None,
                "cycle_spread_days": 12.0 if orders > 3 else None,
                "last_day": None if recency is None else AS_OF - timedelta(days=recency),
                "due_day": AS_OF + timedelta(days=12) if orders > 3 else None,
                "overdue_days": -12.0 if orders > 3 else None,
                "top_family": "F00" if record else None,
                "top_family_share": 0.4,
                "touch_hours_12m": hours,
                "touches_12m": None if hours is None else int(hours * 2),
            }
        )
        bought_before = []
        for order in range(orders):
            day = AS_OF - timedelta(days=(recency or 1) + order * rng.randint(9, 40))
            for _ in range(max(1, lines_a_customer // max(orders, 1))):
                product = rng.choice(products)
                quantity = rng.randint(1, 20)
                bought_before.append(product[0])
                history.append(
                    (
                        code,
                        day,
                        f"S{n:05d}{order:03d}",
                        product[0],
                        float(quantity),
                        round(product[2] * scale * quantity, 2),
                    )
                )
        if bought_before:
            for rank in (1, 2, 3):
                seed_product, offered = rng.choice(bought_before), rng.choice(products)[0]
                seed_name = names[int(seed_product)]
                recommendations.append(
                    {
                        "customer_id": code,
                        "product_id": offered,
                        "rank": rank,
                        "score": 3.0 - rank,
                        "kind": "new",
                        "reason": "bought_with",
                        "evidence": json.dumps({"because": [seed_product], "together": 14, "lift": 3.2, "buyers": 120}),
                        "why_ja": f"{seed_name} をご購入。あわせて買う注文が 14件（リフト 3.2）。",
                        "why_en": f"Bought {seed_name}; 14 orders hold both (lift 3.2).",
                        "say_ja": "同じ照明のまま検査を自動にできます。" if rank == 1 else "",
                        "say_en": "You can automate inspection with the lighting you have." if rank == 1 else "",
                    }
                )
            for rank in (1, 2):
                again = rng.choice(bought_before)
                recommendations.append(
                    {
                        "customer_id": code,
                        "product_id": again,
                        "rank": rank,
                        "score": 2.0 - rank,
                        "kind": "replenishment",
                        "reason": "due",
                        "evidence": json.dumps({"orders": 4, "cycle_days": 34}),
                        "why_ja": "4回のご注文、間隔はおよそ34日。",
                        "why_en": "4 orders, about every 34 days.",
                        "say_ja": "そろそろ替えどきではありませんか。",
                        "say_en": "It may be time for a refill.",
                        "due_day": AS_OF + timedelta(days=rng.randint(-10, 30)),
                    }
                )
    missed = sorted((g for g in gaps if g["is_missed"]), key=lambda g: -g["expected"])
    for rank, gap in enumerate(missed, 1):
        gap["rank"] = rank
    plan, seen = [], {}
    for position in sorted(
        (p for p in positions if p["quadrant"] in "ABC"), key=lambda p: (p["quadrant"], -(p["potential"] or 0))
    )[: max(10, customers // 6)]:
        rep = position["rep_id"]
        seen[rep] = seen.get(rep, 0) + 1
        expected = (position["potential"] or 50_000 * scale) * 0.12
        plan.append(
            {
                "rep_id": rep,
                "customer_id": position["customer_id"],
                "name": position["name"],
                "quadrant": position["quadrant"],
                "channel": "visit" if position["quadrant"] != "C" else "call",
                "hours": 2.5 if position["quadrant"] != "C" else 0.5,
                "family": "F02",
                "product_id": "00032",
                "expected": expected,
                "low": expected * 0.2,
                "high": expected * 2.3,
                "order": seen[rep],
                "why_ja": "拡大余地が大きく、画像検査はまだ提案していません。",
                "why_en": "Large potential; vision inspection not proposed yet.",
            }
        )
    pairs = []
    for k in range(60):
        a, b = rng.sample(products, 2)
        pairs.append(
            {
                "product_id": a[0],
                "other_product_id": b[0],
                "together": 80 - k,
                "support": (80 - k) / 5000,
                "confidence": rng.random() * 0.6,
                "lift": rng.uniform(1.2, 9),
                "llr": 200.0 - 3 * k,
                "q_value": 1e-9 * 2.0**k,
                "direction": rng.random() if k % 3 else None,
                "direction_n": 20 + k if k % 3 else 0,
            }
        )
    families = [
        {
            "family": f"F{i:02d}",
            "name": f,
            "learned": i > 6,
            "products": 16,
            "customers": customers // 3,
            "amount_12m": 1e7 * scale * (i + 1),
            "words": f"{f}, センサ",
        }
        for i, f in enumerate(FAMILIES)
    ]
    hours_planned = sum(p["hours"] for p in plan)
    summary = PlanSummary(
        expected=sum(p["expected"] for p in plan),
        low=sum(p["expected"] for p in plan) * 0.5,
        high=sum(p["expected"] for p in plan) * 1.7,
        bound=sum(p["expected"] for p in plan) * 1.004,
        optimality_gap=0.004,
        hours_available=hours_planned * 1.05,
        hours_planned=hours_planned,
        hours_by_quadrant=tuple(
            (q, w * hours_planned, sum(p["hours"] for p in plan if p["quadrant"] == q))
            for q, w in (("A", 0.45), ("B", 0.35), ("C", 0.15), ("D", 0.05))
        ),
        target=sum(p["expected"] for p in plan) * 1.4,
        target_gap=sum(p["expected"] for p in plan) * 0.3,
        words_ja="時間内で見込める上限との差は 0.4% です。目標までは、この計画のほかにもう少し必要です。",
        words_en="Within 0.4 % of the best any plan could expect in these hours. The target still needs more than this plan.",
    )
    history_frame = pl.DataFrame(
        history,
        schema={
            "customer_id": pl.String,
            "day": pl.Date,
            "order_id": pl.String,
            "product_id": pl.String,
            "quantity": pl.Float64,
            "amount": pl.Float64,
        },
        orient="row",
    )
    assert tuple(history_frame.columns) == EXTRA_COLUMNS["order_history"]
    return ReportData(
        company="のびしろ計器",
        as_of=AS_OF,
        generated_at=datetime(2026, 11, 21, 6, 30),
        language=language,
        currency=currency,
        simulated=True,
        source_note="架空の会社の模擬データ / simulated data of a fictional company",
        positions=result_frame("positions", positions),
        gaps=result_frame("gaps", gaps),
        families=result_frame("families", families),
        pairs=result_frame("pairs", pairs),
        recommendations=result_frame("recommendations", recommendations),
        plan=result_frame("plan", plan),
        customer_features=result_frame("customer_features", features),
        customer_potential=result_frame("customer_potential", sums),
        potential=result_frame("potential", potentials),
        products=pl.DataFrame(
            {"product_id": [p[0] for p in products], "name": names, "price": [p[2] * scale for p in products]}
        ),
        order_history=history_frame,
        thresholds=Thresholds(
            cut_potential,
            cut_record,
            "拡大余地は大きい順に並べた曲線が曲がるところ（上位 38%）、実績は売上の8割を占める境目で分けました。",
            "Potential is cut where its ranked curve bends (top 38 %), track record where 80 % of sales is reached.",
        ),
        plan_summary=summary,
        intake=pl.DataFrame(
            {
                "what_ja": ["読んだ行", "取消と相殺", "商品でないコード"],
                "what_en": ["Rows read", "Cancellations netted", "Codes that are no product"],
                "count": [120_345, 842, 61],
                "amount": [5.2e8 * scale, -1.1e6 * scale, 420_000.0 * scale],
                "explanation_ja": ["受注明細.csv（CP932）", "取消伝票を元の受注と相殺", "送料・値引。推薦から除外"],
                "explanation_en": [
                    "受注明細.csv (CP932)",
                    "taken off their order",
                    "postage, discounts; not recommended",
                ],
            }
        ),
        measures=(
            Measure(
                "拡大余地の順位相関",
                "Rank correlation of potential",
                "0.23",
                3120,
                "2011-04-01 で切り、次の半年の新しい商品群の購入額と比較（現在の購入額を除いた偏相関）",
                "cut at 2011-04-01, against next half-year's spend in new families, given current spend",
            ),
        ),
    )
