"""The customer map and the gap matrix, on a company of seven."""

from datetime import date, datetime

import polars as pl
import pytest

from nobishiro.contracts.results import RESULTS
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.settings import MapSettings
from nobishiro.engine.store.types import polars_schema
from nobishiro.engine.understand.gaps import build_gaps
from nobishiro.engine.understand.lwp import build_map

AS_OF = date(2026, 11, 21)


def frame(table, rows):
    schema = polars_schema(table)
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)


def features(rows):
    return frame(RESULTS["customer_features"], rows)


def customers():
    return frame(
        TABLES["customers"], [{"customer_id": code, "name": f"株式会社{code}"} for code in "ABCDEF"]
    )  # G is known from a deal only


def map_of(**changes):
    tables = {
        "tags": frame(TABLES["tags"], []),
        "overrides": frame(TABLES["overrides"], []),
        "assignments": frame(TABLES["assignments"], []),
        "deals": frame(TABLES["deals"], [{"deal_id": "1", "customer_id": "G", "outcome": "lost"}]),
        "as_of": AS_OF,
        "settings": MapSettings(potential_threshold=100.0, track_record_threshold=1000.0),
    } | changes
    record = {"A": (5000.0, 20), "B": (100.0, 2), "C": (4000.0, 15), "D": (50.0, 1), "E": (0.0, 0)}
    rows = [
        {"customer_id": code, "amount_12m": yen, "orders_12m": n, "orders": n or 3, "recency_days": 10}
        for code, (yen, n) in record.items()
    ]
    room = {"A": 900.0, "B": 800.0, "C": 10.0, "D": 5.0}
    potential = frame(
        RESULTS["customer_potential"],
        [
            {"customer_id": c, "potential": yen, "low": 1.0, "high": 2000.0, "basis": "estimated"}
            for c, yen in room.items()
        ],
    )
    return build_map(customers(), features(rows), potential, **tables)


def by_customer(result, column):
    return dict(result.positions.select("customer_id", column).iter_rows())


def test_list_is_complete_customers_without_orders_and_lost_deals_included():
    assert by_customer(map_of(), "state") == {
        "A": "active", "B": "active", "C": "active", "D": "active", "E": "dormant", "F": "prospect", "G": "lost",
    }  # fmt: skip


def test_quadrants_are_cut_at_the_thresholds_and_unknown_potential_has_none():
    assert by_customer(map_of(), "quadrant") == {
        "A": "A", "B": "B", "C": "C", "D": "D", "E": None, "F": None, "G": None,
    }  # fmt: skip
    assert by_customer(map_of(), "decided_by")["F"] == "unknown"


def test_a_value_on_the_threshold_stands_above():
    cut = MapSettings(potential_threshold=800.0, track_record_threshold=4000.0)
    assert by_customer(map_of(settings=cut), "quadrant")["B"] == "B"
    assert by_customer(map_of(settings=cut), "quadrant")["C"] == "C"


def test_tags_set_by_hand_stand_beside_the_computed_ones_and_count_before_them():
    tags = frame(
        TABLES["tags"],
        [{"customer_id": "C", "tag": "what", "value": "大"}, {"customer_id": "F", "tag": "what", "value": "large"}],
    )
    result = map_of(tags=tags)
    row = result.positions.filter(pl.col("customer_id") == "C").row(0, named=True)
    assert (row["what_computed"], row["what_set"], row["quadrant_computed"], row["quadrant"]) == (
        "small",
        "大",
        "C",
        "A",
    )
    assert by_customer(result, "quadrant")["F"] == "B"
    assert by_customer(result, "decided_by")["F"] == "tags"


def test_override_counts_before_tags_and_keeps_its_reason():
    overrides = frame(
        TABLES["overrides"],
        [{"customer_id": "D", "measure": "quadrant", "value": "B", "reason": "新工場を建設中"}],
    )
    result = map_of(
        overrides=overrides, tags=frame(TABLES["tags"], [{"customer_id": "D", "tag": "what", "value": "小"}])
    )
    row = result.positions.filter(pl.col("customer_id") == "D").row(0, named=True)
    assert (row["quadrant"], row["quadrant_computed"], row["decided_by"], row["reason"]) == (
        "B", "D", "override", "新工場を建設中",
    )  # fmt: skip


def test_yen_set_by_a_person_move_the_customer_and_count_as_told():
    overrides = frame(
        TABLES["overrides"],
        [{"customer_id": "D", "measure": "potential", "value": "1,200,000", "reason": "増設の計画"}],
    )
    row = map_of(overrides=overrides).positions.filter(pl.col("customer_id") == "D").row(0, named=True)
    assert (row["quadrant"], row["potential"], row["potential_basis"], row["low"]) == ("B", 1_200_000.0, "told", None)


def test_a_line_set_by_hand_is_said_to_be():
    assert map_of().thresholds.why_ja == "実績の線は人が決めました。拡大余地の線は人が決めました。"
    assert map_of().thresholds.set_by == "person"


def test_map_works_from_tags_alone_without_amounts():
    tags = frame(
        TABLES["tags"],
        [
            {"customer_id": code, "tag": tag, "value": value}
            for code, room, pace in (("A", "大", "高"), ("B", "大", "低"), ("C", "小", "高"), ("D", "小", "低"))
            for tag, value in (("what", room), ("pace", pace))
        ],
    )
    nothing = pl.DataFrame(schema=features([]).schema)
    result = build_map(
        customers(), nothing, frame(RESULTS["customer_potential"], []), tags=tags,
        overrides=frame(TABLES["overrides"], []), assignments=frame(TABLES["assignments"], []),
        deals=frame(TABLES["deals"], []), as_of=AS_OF, has_amounts=False,
    )  # fmt: skip
    assert by_customer(result, "quadrant") == {"A": "A", "B": "B", "C": "C", "D": "D", "E": None, "F": None}


def test_main_rep_of_today_is_shown():
    held = [
        {"customer_id": "A", "division_id": "保守", "rep_id": "r2", "role": "support"},
        {"customer_id": "A", "division_id": "汎用", "rep_id": "r1", "role": "main", "valid_from": date(2025, 4, 1)},
        {"customer_id": "B", "division_id": "汎用", "rep_id": "r9", "role": "main", "valid_to": date(2025, 3, 31)},
    ]
    reps = by_customer(map_of(assignments=frame(TABLES["assignments"], held)), "rep_id")
    assert (reps["A"], reps["B"]) == ("r1", None)


def room(customer, family, now, yen):
    return {"customer_id": customer, "family": family, "current": now, "potential": yen, "basis": "estimated"}


def gaps_of(proposals=(), facts=()):
    potential = [
        room("A", "光電", 10.0, 5.0),
        room("A", "画像", 0.0, 50.0),
        room("B", "光電", 0.0, 30.0),
        room("B", "画像", 0.0, 70.0),
        room("B", "保守", 0.0, None),
    ]
    products = frame(RESULTS["product_families"], [{"product_id": "V1", "family": "画像"}])
    return build_gaps(
        map_of().positions,
        frame(RESULTS["potential"], potential),
        proposals=frame(TABLES["proposals"], list(proposals)),
        facts=frame(TABLES["facts"], list(facts)),
        product_families=products,
        as_of=AS_OF,
    )


def states(gaps):
    return {(c, f): s for c, f, s in gaps.select("customer_id", "family", "state").iter_rows()}


def test_gap_matrix_says_buying_and_not_proposed():
    assert states(gaps_of())["A", "光電"] == "buying"
    assert states(gaps_of())["A", "画像"] == "not_proposed"


def test_missed_proposals_are_b_customers_never_asked_ranked_by_expected_yen():
    missed = gaps_of().filter("is_missed").sort("rank").select("customer_id", "family", "rank").rows()
    assert missed == [("B", "画像", 1), ("B", "光電", 2)]  # 保守: unknown potential is no list entry


def test_a_proposal_by_product_counts_for_its_family_with_the_latest_result():
    proposals = [
        {
            "proposal_id": "1",
            "customer_id": "B",
            "product_id": "V1",
            "proposed_at": datetime(2026, 1, 5),
            "result": "open",
        },
        {
            "proposal_id": "2",
            "customer_id": "B",
            "product_id": "V1",
            "proposed_at": datetime(2026, 3, 5),
            "result": "declined",
        },
        {
            "proposal_id": "3",
            "customer_id": "A",
            "product_id": "V1",
            "proposed_at": datetime(2021, 3, 5),
            "result": "open",
        },
    ]
    gaps = gaps_of(proposals)
    assert gaps.filter(customer_id="B", family="画像").select("state", "proposal_result").row(0) == (
        "proposed",
        "declined",
    )
    assert states(gaps)["A", "画像"] == "not_proposed"  # five years ago is no longer "proposed"


@pytest.mark.parametrize(("learned", "state"), [(date(2026, 2, 1), "proposed"), (date(2026, 4, 1), "competitor")])
def test_what_was_learned_last_stands(learned, state):
    proposals = [
        {
            "proposal_id": "2",
            "customer_id": "B",
            "family": "画像",
            "proposed_at": datetime(2026, 3, 5),
            "result": "open",
        }
    ]
    facts = [{"customer_id": "B", "fact": "competitor_buys", "subject": "画像", "learned_on": learned}]
    assert states(gaps_of(proposals, facts))["B", "画像"] == state


def test_not_applicable_beats_all_and_expects_nothing():
    facts = [{"customer_id": "A", "fact": "not_applicable", "subject": "光電", "learned_on": date(2026, 1, 1)}]
    row = gaps_of(facts=facts).filter(customer_id="A", family="光電").row(0, named=True)
    assert (row["state"], row["expected"], row["is_missed"]) == ("not_applicable", None, False)
