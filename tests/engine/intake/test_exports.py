"""Whatever is exported imports again unchanged; what does not fit is named."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import FileNotUsable, UnknownName
from nobishiro.contracts.tables import TABLES, ColumnType
from nobishiro.engine.intake.exports import export_table
from nobishiro.engine.intake.importing import prepare_import
from nobishiro.engine.intake.mapping import own_mapping
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.settings import ImportSettings
from nobishiro.engine.store.types import conform, polars_schema
from nobishiro.pipelines.import_file import choose_mapping

TODAY = date(2026, 11, 21)
TEXT = st.text(
    st.one_of(
        st.sampled_from(list("髙﨑㈱①株式会社ーｱｲｳ　＝＋ACME CO., LTD.'\"=+-@|;\t\n 0123")),
        st.characters(blacklist_categories=("Cs", "Cc")),
    ),
    min_size=1,
    max_size=12,
).filter(str.strip)  # a text of blanks alone is none: Excel and every import see an empty cell
VALUES = {
    ColumnType.TEXT: TEXT,
    ColumnType.INTEGER: st.integers(1, 10**12),
    ColumnType.QUANTITY: st.decimals(-(10**6), 10**6, places=3),
    ColumnType.MONEY: st.decimals(-(10**12), 10**12, places=2),
    ColumnType.RATE: st.floats(-2, 2).map(lambda x: round(x, 9)),
    ColumnType.SCORE: st.floats(-1e6, 1e6).map(lambda x: round(x, 6)),
    ColumnType.FLAG: st.booleans(),
    ColumnType.DAY: st.dates(date(1951, 1, 1), TODAY),
    ColumnType.MOMENT: st.datetimes(datetime(1951, 1, 1), datetime(2026, 11, 20)),
}


@st.composite
def frames(draw, table, rows=4):
    count = draw(st.integers(1, rows))
    data = {}
    for column in table.columns:
        values = st.sampled_from(column.choices) if column.choices else VALUES[column.type]
        if not (column.required or column.name in table.key):
            values = st.none() | values
        data[column.name] = draw(st.lists(values, min_size=count, max_size=count))
    frame = pl.DataFrame(data, schema=polars_schema(table))
    return frame.unique(list(table.key), keep="first", maintain_order=True)


def back_again(table, path):
    prepared = prepared_again(table, path)
    assert prepared.rejected.is_empty(), prepared.rejected.to_dicts()
    return conform(table, prepared.tables[table.name])


def prepared_again(table, path):
    raw = read_source(str(path))
    mapping = choose_mapping(raw, table.name)
    assert mapping.exact
    return prepare_import(raw, mapping, ImportSettings(), TODAY)


def assert_same(table, before, after):
    key = list(table.key)
    assert after.sort(key).to_dicts() == before.sort(key).to_dicts()


ROUNDS = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def round_trip(data, table, tmp_path, encoding, suffix, headers):
    before = data.draw(frames(table))
    path = tmp_path / f"export{suffix}"
    report = export_table(table, before, path, encoding=encoding, headers=headers)
    if not report.unwritable:
        assert_same(table, before, back_again(table, path))
        return
    # every cell that was not named is there unchanged; rows whose very code did not fit may have become one
    prepared = prepared_again(table, path)
    damaged = {cell.line - 2 for cell in report.unwritable}
    whole = before.filter(~pl.int_range(pl.len()).is_in(list(damaged)))
    after = conform(table, prepared.tables[table.name])
    key = list(table.key)
    kept = after.join(whole.select(key), on=key, how="semi", nulls_equal=True)
    assert kept.sort(key).to_dicts() == whole.sort(key).to_dicts()


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@ROUNDS
def test_csv_export_imports_again_unchanged(name, tmp_path_factory, data):
    encoding = data.draw(st.sampled_from(["utf-8-sig", "utf-8", "utf-16", "cp932", "euc_jp"]))
    headers = data.draw(st.sampled_from(["ja", "name"]))
    round_trip(data, TABLES[name], tmp_path_factory.mktemp("x"), encoding, ".csv", headers)


@pytest.mark.parametrize("name", ["customers", "order_lines", "tags", "facts", "survey_answers"])
@given(data=st.data())
@ROUNDS
def test_excel_export_imports_again_unchanged(name, tmp_path_factory, data):
    round_trip(data, TABLES[name], tmp_path_factory.mktemp("x"), "utf-8", ".xlsx", "ja")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".parquet"])
@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@MANY
def test_every_format_imports_again_unchanged(name, suffix, tmp_path_factory, data):
    encoding = data.draw(st.sampled_from(["utf-8-sig", "utf-8", "utf-16", "cp932", "euc_jp"]))
    headers = data.draw(st.sampled_from(["ja", "en", "name"]))
    round_trip(data, TABLES[name], tmp_path_factory.mktemp("x"), encoding, suffix, headers)


def customer(**values):
    row = dict.fromkeys(TABLES["customers"].column_names) | {"customer_id": "001", "name": "株式会社髙﨑"} | values
    return pl.DataFrame([row], schema=polars_schema(TABLES["customers"]))


def test_cp932_names_each_cell_it_cannot_hold_and_marks_it(tmp_path):
    frame = customer(name="𠮷野家", address="一〜三番地", note="髙﨑㈱①")
    report = export_table(TABLES["customers"], frame, tmp_path / "c.csv", encoding="cp932")
    assert [(c.line, c.column, c.what) for c in report.unwritable] == [(2, "顧客名", "𠮷"), (2, "住所", "〜")]
    text = (tmp_path / "c.csv").read_bytes().decode("cp932")
    assert "〓野家" in text
    assert "髙﨑㈱①" in text


def test_formulas_are_text_in_csv_and_come_back_as_they_were(tmp_path):
    frame = customer(name="=1+1", note="'=x", phone="+81-3-0000-0000")
    export_table(TABLES["customers"], frame, tmp_path / "c.csv")
    text = (tmp_path / "c.csv").read_text("utf-8-sig")
    assert "'=1+1" in text
    assert ",=" not in text
    assert_same(TABLES["customers"], frame, back_again(TABLES["customers"], tmp_path / "c.csv"))


def test_own_mapping_names_every_column():
    assert len(own_mapping("customers").columns) == len(TABLES["customers"].columns)


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("c.doc", {}, UnknownName),
        ("c.csv", {"encoding": "latin-9"}, UnknownName),
        ("c.csv", {"headers": "fr"}, UnknownName),
        ("nowhere/c.csv", {}, FileNotUsable),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, name, options, error):
    with pytest.raises(error):
        export_table(TABLES["customers"], customer(), tmp_path / name, **options)
    assert list(tmp_path.rglob("*.part")) == []


def test_money_keeps_every_digit_in_excel(tmp_path):
    frame = customer(
        annual_sales=Decimal("1234567890123456.78"), acquired_on=date(1899, 12, 31) + timedelta(days=20000)
    )
    export_table(TABLES["customers"], frame, tmp_path / "c.xlsx")
    assert_same(TABLES["customers"], frame, back_again(TABLES["customers"], tmp_path / "c.xlsx"))
