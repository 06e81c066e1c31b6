"""Rows by their code: new ones come, known ones change in what is given and keep the rest and their key."""

import pytest

from nobishiro.web.core.upsert import upsert_rows
from nobishiro.web.people.models import Division, Rep


def test_known_code_keeps_its_key_and_what_is_not_given(division: Division, rep: Rep) -> None:
    assert upsert_rows(Rep, ["code", "name"], [("R1", "改名"), ("R2", "新人")]) == 2
    rep.refresh_from_db()
    assert (rep.name, rep.division, rep.hours_per_month) == ("改名", division, 80)
    made = Rep.objects.get(code="R2")
    assert (made.name, made.division, made.hours_per_month) == ("新人", None, None)


def test_only_named_columns_change_in_known_rows(rep: Rep) -> None:
    upsert_rows(Rep, ["code", "name", "division_id"], [("R1", "改名", None)], updated=["division_id"])
    rep.refresh_from_db()
    assert (rep.name, rep.division) == ("佐藤 健", None)


def test_more_rows_than_a_batch(db: None) -> None:
    assert upsert_rows(Division, ["code", "name"], ((f"D{n}", "事業部") for n in range(2_500))) == 2_500
    assert Division.objects.filter(is_window=False).count() == 2_500


def test_unknown_column_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match="colour"):
        upsert_rows(Rep, ["code", "colour"], [])
