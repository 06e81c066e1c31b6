from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.contracts.errors import MappingIncomplete, UnknownName
from nobishiro.engine.intake.merges import apply_merges, merge_roots, read_decisions, smallest_code

CODES = st.sampled_from([f"C{n}" for n in range(8)])


def merges(*rows):
    return pl.DataFrame(
        rows, schema={"customer_id": pl.String, "into_customer_id": pl.String, "evidence": pl.String}, orient="row"
    )


def test_chain_ends_at_one_root():
    frame = pl.DataFrame({"customer_id": ["a", "b", "c", None, "z"], "n": [1, 2, 3, 4, 5]})
    out = apply_merges(frame, merges(("a", "b", "x"), ("b", "c", "x")))
    assert out["customer_id"].to_list() == ["c", "c", "c", None, "z"]
    assert out["n"].to_list() == [1, 2, 3, 4, 5]


def test_removing_the_row_undoes_the_merge():
    frame = pl.DataFrame({"customer_id": ["a", "b"]})
    table = merges(("a", "b", "x"))
    assert apply_merges(frame, table)["customer_id"].to_list() == ["b", "b"]
    assert apply_merges(frame, table.clear()).equals(frame)


def test_refusals_change_nothing():
    frame = pl.DataFrame({"customer_id": ["a", "b", "c"]})
    assert apply_merges(frame, merges(("a", "a", "stay"), ("b", "c", "different: two shops"))).equals(frame)
    assert apply_merges(frame, merges(("b", "c", "別会社"))).equals(frame)


def decided(*rows):
    """Rows of (code, into, evidence, decided_by, day of 2026-01 or None)."""
    return pl.DataFrame(
        [(*row[:4], row[4] and datetime(2026, 1, row[4])) for row in rows],
        schema={
            "customer_id": pl.String, "into_customer_id": pl.String, "evidence": pl.String,
            "decided_by": pl.String, "decided_at": pl.Datetime("us"),
        },
        orient="row",
    )  # fmt: skip


def test_refusal_and_merge_of_one_code_stand_beside_each_other():
    found = read_decisions(decided(("a", "b", "別会社", "佐藤", 1), ("a", "c", "法人番号が同じ", "rule", 2)))
    assert found.merged == {"a": "c"} and found.different == {("a", "b")} and found.alone == frozenset()


def test_later_merge_of_one_code_counts():
    found = read_decisions(
        decided(("a", "c", "x", "佐藤", 2), ("a", "b", "x", "佐藤", 1), ("a", "d", "x", "佐藤", None))
    )
    assert found.merged == {"a": "c"}


def test_person_counts_before_a_later_rule():
    assert read_decisions(decided(("a", "b", "x", "佐藤", 1), ("a", "c", "x", "rule", 9))).merged == {"a": "b"}
    assert read_decisions(decided(("a", "a", "x", "佐藤", 1), ("a", "c", "x", "rule", 9))).alone == {"a"}


@pytest.mark.parametrize(
    ("refused", "merged", "stays"), [(1, 2, True), (2, 1, False), (1, 1, False), (None, None, False)]
)
def test_last_word_on_a_pair_counts_and_a_refusal_where_neither_is_later(refused, merged, stays):
    found = read_decisions(decided(("a", "b", "different", "佐藤", refused), ("b", "a", "x", "佐藤", merged)))
    assert found.merged == ({"b": "a"} if stays else {})
    assert found.different == (frozenset() if stays else {("a", "b")})


def test_several_columns_and_number_codes():
    frame = pl.DataFrame({"customer_id": [1, 2], "end_customer_id": [2, None]})
    out = apply_merges(frame, merges(("2", "1", "x"), ("1", "X9", "x")), ("customer_id", "end_customer_id"))
    # X9 is no number: what cannot stand in the column stays as it was.
    assert out.rows() == [(1, 2), (2, None)]
    assert apply_merges(frame, merges(("2", "1", "x")), ("customer_id", "end_customer_id")).rows() == [
        (1, 1),
        (1, None),
    ]


def test_circle_ends_at_its_smallest_code():
    assert merge_roots({"b": "a", "a": "c", "c": "b", "x": "c"}) == {"b": "a", "c": "a", "x": "a"}


def test_unknown_column_and_missing_code_are_named():
    with pytest.raises(UnknownName, match="shop"):
        apply_merges(pl.DataFrame({"customer_id": ["a"]}), merges(), ("shop",))
    with pytest.raises(MappingIncomplete, match="into_customer_id"):
        read_decisions(pl.DataFrame({"customer_id": ["a"]}))


def test_smallest_code_counts_numbers_by_value():
    assert smallest_code(["10", "9", "A1"]) == "9"
    assert smallest_code(["C002", "C001"]) == "C001"


@given(st.dictionaries(CODES, CODES))
def test_every_code_resolves_to_a_root_that_stays(merged):
    roots = merge_roots({code: into for code, into in merged.items() if code != into})
    assert all(root not in roots for root in roots.values())
    for code, into in merged.items():
        assert roots.get(code, code) == roots.get(into, into)


@given(st.lists(CODES), st.dictionaries(CODES, CODES))
def test_applying_twice_changes_nothing_more(codes, merged):
    frame = pl.DataFrame({"customer_id": codes}, schema={"customer_id": pl.String})
    table = merges(*[(code, into, "x") for code, into in merged.items()])
    once = apply_merges(frame, table)
    assert apply_merges(once, table).equals(once)
