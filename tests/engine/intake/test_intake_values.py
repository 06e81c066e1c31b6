"""One cleaned column: every kind of value."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.contracts.tables import TABLES, ColumnType
from nobishiro.engine.intake.choices import choice_words, flag_words
from nobishiro.engine.intake.numbers import EMPTY_MARKS
from nobishiro.engine.intake.values import CleanedColumn, ValueRules, clean_column
from nobishiro.engine.store.types import polars_type

TODAY_AHEAD = date(2027, 11, 22)


def clean(table: str, column: str, values: list[object], **rules: object) -> CleanedColumn:
    series = pl.Series("見出し", values, strict=False)
    return clean_column(series, TABLES[table].column(column), ValueRules(latest_day=TODAY_AHEAD, **rules))  # type: ignore[arg-type]


def good(table: str, column: str, values: list[object], **rules: object) -> list[object]:
    cleaned = clean(table, column, values, **rules)
    assert cleaned.problems.null_count() == len(values), cleaned.problems.to_list()
    return cleaned.values.to_list()


def test_codes_keep_their_leading_zeros() -> None:
    assert good("order_lines", "customer_id", ["00123", "４５６", " 7 ", "007-A"]) == ["00123", "456", "7", "007-A"]


def test_what_excel_did_to_codes_is_undone() -> None:
    assert good("order_lines", "product_id", ["123.0", '="00123"', "'0045"]) == ["123", "00123", "0045"]
    assert good("order_lines", "product_id", [123.0, None, 7.0]) == ["123", None, "7"]
    assert good("order_lines", "product_id", [123, 45]) == ["123", "45"]


def test_a_code_excel_shortened_is_a_problem_and_no_code() -> None:
    cleaned = clean("order_lines", "product_id", ["4.90E+12"])
    assert cleaned.values.to_list() == [None]
    assert "digits are lost" in cleaned.problems[0]


@given(st.lists(st.from_regex(r"0{1,4}[0-9A-Z]{1,8}", fullmatch=True), min_size=1, max_size=20))
def test_codes_with_leading_zeros_survive(codes: list[str]) -> None:
    assert good("order_lines", "customer_id", list(codes)) == codes


def test_names_are_normalised_but_their_characters_kept() -> None:
    assert good("customers", "name", ["  ㈱　髙島\n商店 ", "ﾀｶﾊｼ", "﨑陽軒"]) == [
        "(株) 髙島 商店",
        "タカハシ",
        "﨑陽軒",
    ]


def test_notes_keep_their_line_breaks() -> None:
    assert good("customers", "note", [" 一行目\r\n二行目 \n"]) == ["一行目\n二行目"]


def test_blank_cells_are_empty() -> None:
    assert good("customers", "name", ["", "  ", "　", None, "#N/A"]) == [None] * 5


def test_money_is_rounded_once_and_said() -> None:
    cleaned = clean("order_lines", "amount", ["¥1,234", "▲3", "1.005"])
    assert cleaned.values.to_list() == [Decimal("1234.00"), Decimal("-3.00"), Decimal("1.01")]
    assert "rounded to 2 decimals" in cleaned.notes[0]


def test_thousands_of_yen_are_multiplied() -> None:
    assert good("order_lines", "amount", ["1", "2.5"], multiplier=1000) == [Decimal(1000), Decimal(2500)]


def test_problem_names_the_value_and_the_remedy() -> None:
    cleaned = clean("order_lines", "ordered_at", ["2025/13/01"])
    assert cleaned.problems[0].startswith('"2025/13/01" is not a date;')
    assert cleaned.problems[0].endswith("use YYYY-MM-DD")


@pytest.mark.parametrize("written", ["1900/1/1", "2099-12-31", "1900-01-01 10:00"])
def test_absurd_order_days_are_problems(written: str) -> None:
    assert clean("order_lines", "ordered_at", [written]).problems[0] is not None
    native = clean("order_lines", "ordered_at", [datetime(1900, 1, 1), datetime(2025, 1, 1)])
    assert native.values.to_list() == [None, datetime(2025, 1, 1)]


def test_plans_may_lie_ahead_and_a_far_end_means_none() -> None:
    assert good("deals", "expected_on", ["2030-04-01"]) == [date(2030, 4, 1)]
    assert good("reps", "valid_to", ["9999-12-31", "2099/12/31", "2026-03-31"]) == [None, None, date(2026, 3, 31)]


def test_an_old_birthday_is_no_mistake() -> None:
    assert good("contacts", "birthday", ["昭和20年8月15日"]) == [date(1945, 8, 15)]


def test_absurd_quantity_is_a_problem_whatever_its_type() -> None:
    assert clean("order_lines", "quantity", ["1e12", "3"]).problems[0] is not None
    assert clean("order_lines", "quantity", [1e12, 3.0]).values.to_list() == [None, Decimal(3)]


def test_whole_numbers_only_where_pieces_are_counted() -> None:
    assert good("customers", "employees", ["320名", "1,200", "12.0"]) == [320, 1200, 12]
    assert "whole number" in clean("customers", "employees", ["12.5"]).problems[0]


def test_rates_are_shares() -> None:
    assert good("products", "margin_rate", ["35%", "0.4", "12.5％"]) == [0.35, 0.4, 0.125]
    assert good("products", "margin_rate", ["35", "40.5"]) == [0.35, 0.405]
    assert good("products", "margin_rate", ["0.5", "1"], percent=True) == [0.005, 0.01]


def test_a_huge_rate_does_not_vanish() -> None:
    assert good("products", "margin_rate", ["1e100"]) == [1e98]


def test_flags_in_words_marks_and_digits() -> None:
    assert good("contacts", "is_decision_maker", ["はい", "×", "１", "FALSE", "○", None, "1.0"]) == [
        True, False, True, False, True, None, True,
    ]  # fmt: skip
    assert clean("contacts", "is_decision_maker", ["?"]).problems[0] is not None


def test_choices_from_japanese_words() -> None:
    assert good("touches", "kind", ["訪問", "電話", "visit", "Ｅメール"]) == ["visit", "call", "visit", "mail"]
    assert good("customers", "state", ["取引中", "休眠", "失注", "見込み"]) == ["active", "dormant", "lost", "prospect"]
    assert good("proposals", "result", ["受注", "お断り", "検討中"]) == ["won", "declined", "considering"]


def test_unknown_choice_names_the_allowed_ones() -> None:
    problem = clean("customers", "state", ["謎"]).problems[0]
    assert "active (取引中)" in problem
    assert "prospect" in problem


def test_the_files_own_words_come_first() -> None:
    assert good("customers", "state", ["A", "取引中"], value_map=(("A", "prospect"),)) == ["prospect", "active"]
    words = (("~電話", "call"), ("*", "other"))
    assert good("touches", "kind", ["山田様 電話フォロー", "謎"], value_map=words) == ["call", "other"]


def test_postal_codes() -> None:
    assert good("customers", "postal_code", ["〒100-0001", "１００－０００１", "600001", "SW1A 1AA"]) == [
        "1000001", "1000001", "0600001", "SW1A 1AA",
    ]  # fmt: skip


def test_phones() -> None:
    written = [
        "03-1234-5678",
        "(03)1234-5678",
        "312345678",
        "+81 90 1234 5678",
        "９０１２３４５６７８",
        "03-1234-5678 内線12",
    ]
    assert good("customers", "phone", written) == [
        "0312345678", "0312345678", "0312345678", "09012345678", "09012345678", "03-1234-5678 内線12",
    ]  # fmt: skip


def test_corporate_numbers_are_checked() -> None:
    assert (
        good("customers", "corporate_number", ["7000012050002", "T7-0000-1205-0002", "000012050002"])
        == ["7000012050002"] * 3
    )
    assert "check digit is wrong" in clean("customers", "corporate_number", ["1234567890123"]).problems[0]


def test_domains_from_addresses() -> None:
    assert (
        good("customers", "mail_domain", ["taro@Yamada.example.jp", "https://www.yamada.example.jp/a"])
        == ["yamada.example.jp"] * 2
    )


def test_readings_become_full_width_katakana() -> None:
    assert good("customers", "name_kana", ["たなか", "ﾀﾅｶ", "タナカ"]) == ["タナカ"] * 3


def test_times_with_a_zone_come_to_the_workspaces_clock() -> None:
    utc = pl.Series([datetime(2025, 4, 1, 0, 30, tzinfo=UTC)])
    cleaned = clean_column(utc, TABLES["order_lines"].column("ordered_at"), ValueRules(latest_day=TODAY_AHEAD))
    assert cleaned.values.to_list() == [datetime(2025, 4, 1, 9, 30)]


def test_too_long_a_cell_is_a_problem() -> None:
    assert "longer than" in clean("customers", "note", ["あ" * 50], max_cell_bytes=100).problems[0]


def test_exact_texts_are_not_touched() -> None:
    written = [" ㈱ 山田 ", "'=1+1", "''=x", "a\r\nb"]
    assert good("customers", "name", written, exact=True) == written
    unguarded = [" ㈱ 山田 ", "=1+1", "'=x", "a\r\nb"]
    assert good("customers", "name", written, exact=True, guarded=True) == unguarded


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_comes_back_in_the_stores_type_even_when_empty(table: str) -> None:
    for column in TABLES[table].columns:
        for empty in (
            pl.Series([], dtype=pl.String),
            pl.Series([None, None], dtype=pl.String),
            pl.Series([None, None]),
        ):
            cleaned = clean_column(empty, column, ValueRules(latest_day=TODAY_AHEAD))
            assert cleaned.values.dtype == polars_type(column.type)
            assert cleaned.values.len() == cleaned.problems.len() == empty.len()


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_scores_read_back_to_the_last_digit(value: float) -> None:
    assert good("touches", "minutes", [repr(value)]) == [value]


def test_no_word_stands_for_two_choices_of_one_column() -> None:
    for table in TABLES.values():
        for column in table.columns:
            if not column.choices:
                continue
            words = choice_words(column)
            for choice in column.choices:
                alone = choice_words(type(column)(column.name, ColumnType.TEXT, "", "", "", choices=(choice,)))
                assert all(words[word] == choice for word in alone), (table.name, column.name, choice)


def test_no_word_means_yes_and_no() -> None:
    words = flag_words()
    assert words["はい"] is True
    assert words["いいえ"] is False


def test_lengths_of_time_are_minutes_whatever_their_unit() -> None:
    written = ["1:30", "1時間30分", "90分", "1.5h", "90", "0:45:00", "1 hour"]
    assert good("touches", "minutes", written) == [90.0, 90.0, 90.0, 90.0, 90.0, 45.0, 60.0]
    assert good("reps", "hours_per_month", ["80", "80時間"]) == [80.0, 80.0]
    assert clean("touches", "minutes", ["1:75"]).problems[0] is not None


def test_prefectures_get_their_suffix() -> None:
    assert good("customers", "prefecture", ["東京", "大阪府", "北海道", "California"]) == [
        "東京都",
        "大阪府",
        "北海道",
        "California",
    ]


NUMERIC = [
    ("order_lines", "amount"),
    ("order_lines", "quantity"),
    ("order_lines", "ordered_at"),
    ("customers", "employees"),
    ("customers", "acquired_on"),
    ("customers", "corporate_number"),
    ("customers", "state"),
    ("products", "margin_rate"),
    ("touches", "minutes"),
    ("contacts", "is_decision_maker"),
]
FRAGMENTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0123456789０１９,.-/年月日:¥▲()%+TZe 令和元平成RHS千万億円個", max_size=14),
)


@given(place=st.sampled_from(NUMERIC), written=st.lists(FRAGMENTS, min_size=1, max_size=6))
def test_nothing_vanishes_and_nothing_raises(place: tuple[str, str], written: list[str]) -> None:
    cleaned = clean(*place, list(written))
    assert cleaned.values.len() == cleaned.problems.len() == len(written)
    for text, value, problem in zip(written, cleaned.values, cleaned.problems, strict=True):
        key = unicodedata.normalize("NFKC", text).strip().lower()
        if value is None and problem is None:
            assert key.strip("-\u2010\u30fc' tT") in EMPTY_MARKS | {"t"} or not key.strip("'-"), text
        assert value is None or problem is None


@given(st.lists(st.text(max_size=20), max_size=6))
def test_cleaned_text_stays_as_it_is_when_cleaned_again(written: list[str]) -> None:
    for column in ("name", "note"):
        once = clean("customers", column, list(written)).values
        again = clean("customers", column, once.to_list()).values
        protected = once.str.starts_with("'").fill_null(False)
        assert once.filter(~protected).to_list() == again.filter(~protected).to_list()
