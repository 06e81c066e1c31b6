"""Mappings are saved and read back; headers are compared without their trimmings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.contracts.errors import BadInput, FileNotUsable, UnknownName
from nobishiro.contracts.tables import TABLES
from nobishiro.engine.intake.headers import find_headers, header_key, read_header
from nobishiro.engine.intake.mapping import (
    ColumnMapping,
    check_mapping,
    list_mappings,
    load_mapping,
    own_mapping,
    save_mapping,
)

LEDGER = ColumnMapping(
    table="order_lines",
    name="商奉行 4月",
    columns=(("得意先コード", "customer_id"), ('見出し "引用" \\ 改行\n', "order_id"), ("売上日", "ordered_at")),
    constants=(("channel", "fax"),),
    value_maps=(("channel", (("店", "shop"), ("*", "other"))),),
    first_of=("customer_id",),
    carry=("売上日",),
    leave_out=(("状態", ("取消", "*")),),
    date_order="ymd",
    tax="included",
    drop=("segment_keys",),
    exact=True,
    also=(
        ColumnMapping(table="customers", columns=(("得意先コード", "customer_id"), ("得意先名", "name"))),
        ColumnMapping(table="products", columns=(("商品コード", "product_id"),), hashed=("product_id",)),
    ),
)


def test_a_saved_mapping_is_loaded_as_it_was(tmp_path: Path) -> None:
    save_mapping(LEDGER, tmp_path)
    assert load_mapping("商奉行 4月", tmp_path) == LEDGER
    assert list_mappings(tmp_path) == ("商奉行 4月",)


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
columns = st.sampled_from(TABLES["order_lines"].column_names)
pairs = st.lists(st.tuples(texts, columns), max_size=4).map(tuple)


@given(
    columns=pairs, constants=st.lists(st.tuples(columns, texts), max_size=3).map(tuple), drop=st.lists(texts).map(tuple)
)
def test_any_mapping_survives_saving(
    tmp_path_factory: pytest.TempPathFactory,
    columns: tuple[tuple[str, str], ...],
    constants: tuple[tuple[str, str], ...],
    drop: tuple[str, ...],
) -> None:
    workspace = tmp_path_factory.mktemp("workspace")
    further = ColumnMapping(table="order_lines", columns=columns)
    mapping = ColumnMapping(
        table="order_lines", name="x", columns=columns, constants=constants, drop=drop, also=(further, further)
    )
    save_mapping(mapping, workspace)
    assert load_mapping("x", workspace) == mapping


def test_unknown_name_lists_the_saved_ones(tmp_path: Path) -> None:
    save_mapping(LEDGER, tmp_path)
    with pytest.raises(UnknownName, match="商奉行 4月"):
        load_mapping("弥生", tmp_path)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "a\\b", "x" * 200, "a\nb", " a"])
def test_a_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        save_mapping(ColumnMapping(table="customers", name=name), tmp_path)
    assert not (tmp_path / "mappings").exists()


def test_a_broken_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "bad.toml").write_text('table = "customers"\ncolums = []\n', "utf-8")
    with pytest.raises(FileNotUsable, match="colums"):
        load_mapping("bad", tmp_path)


def test_unknown_table_and_column_are_named() -> None:
    with pytest.raises(UnknownName, match="oders"):
        check_mapping(ColumnMapping(table="oders"))
    with pytest.raises(UnknownName, match="colour"):
        check_mapping(
            ColumnMapping(table="products", also=(ColumnMapping(table="products", columns=(("色", "colour"),)),))
        )


@pytest.mark.parametrize("table", sorted(TABLES))
def test_own_mapping_names_every_column(table: str) -> None:
    assert tuple(column for _, column in check_mapping(own_mapping(table)).columns) == TABLES[table].column_names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("得意先ｺｰﾄﾞ", "得意先コード"),
        ("顧客名(顧客)(※必須項目です)", "顧客名"),
        ("顧客名（※必須項目です）（シート名）", "顧客名"),
        ("Customer ID", "customer_id"),
        ("CUSTOMER-ID", "customerid"),
        ("金額(千円)", "金額"),
        ("伝票№", "伝票No"),
        ("売上 日", "売上日"),
        ("【必須】商品名", "商品名"),
        ("商品名＊", "商品名"),
        ("\ufeff得意先コード", "得意先コード"),
    ],
)
def test_headers_are_compared_without_their_trimmings(one: str, other: str) -> None:
    assert header_key(one) == header_key(other)


def test_what_a_header_says_beside_its_name() -> None:
    assert read_header("金額(単位：千円)").multiplier == 1_000
    assert read_header("年商（百万円）").multiplier == 1_000_000
    assert read_header("売上金額(税込)").tax == "included"
    assert read_header("粗利率(%)").percent
    assert read_header("所要時間(時間)").hours
    assert read_header("お名前(姓)").key != read_header("お名前(名)").key


def test_the_same_text_wins_over_the_same_key() -> None:
    assert find_headers(["金額"], ["金額(千円)", "金額"]) == {"金額": "金額"}
    assert find_headers(["金額"], ["金額(千円)"]) == {"金額": "金額(千円)"}
