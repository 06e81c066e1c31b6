from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.contracts.errors import BadInput
from nobishiro.contracts.results import RESULTS
from nobishiro.engine.settings import FamilySettings
from nobishiro.engine.understand.families import FamilyResult, learn_families
from nobishiro.engine.understand.sales import Sales, encode_sales
from nobishiro.engine.understand.telling_words import read_words

AS_OF = date(2025, 1, 1)
NONE_SOLD = encode_sales(
    pl.DataFrame(
        schema={
            "customer_id": pl.String,
            "order_id": pl.String,
            "product_id": pl.String,
            "ordered_at": pl.Date,
            "amount": pl.Float64,
        }
    ),
    AS_OF,
)

JAPANESE = [
    ("S1", "光電センサ E100"),
    ("S2", "光電センサ E300"),
    ("S3", "近接センサ M12"),
    ("S4", "圧力センサ P5"),
    ("S5", "光電センサ E500 防水"),
    ("K1", "画像検査カメラ V-Lite"),
    ("K2", "画像検査カメラ V-Std"),
    ("K3", "画像検査カメラ V-Pro"),
    ("K4", "画像検査ソフト"),
    ("K5", "画像検査照明"),
    ("H1", "保守サービス Basic"),
    ("H2", "保守サービス Plus"),
    ("H3", "保守サービス 年間"),
    ("H4", "保守部品"),
]


def products(rows: list[tuple[str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"product_id": pl.String, "name": pl.String}, orient="row")


def sold(baskets: list[tuple[str, list[str]]]) -> Sales:
    rows = [
        (customer, f"O{n}", product, AS_OF - timedelta(days=30 + n), 100.0)
        for n, (customer, bought) in enumerate(baskets)
        for product in bought
    ]
    names = ["customer_id", "order_id", "product_id", "ordered_at", "amount"]
    return encode_sales(pl.DataFrame(rows, schema=names, orient="row"), AS_OF)


def family_of(result: FamilyResult) -> dict[str, str]:
    return dict(result.product_families.select("product_id", "family").iter_rows())


def test_tables_have_the_declared_columns() -> None:
    result = learn_families(products(JAPANESE), NONE_SOLD, FamilySettings())
    assert tuple(result.families.columns) == RESULTS["families"].column_names
    assert tuple(result.product_families.columns) == RESULTS["product_families"].column_names


def test_japanese_names_cluster_by_their_words() -> None:
    family = family_of(learn_families(products(JAPANESE), NONE_SOLD, FamilySettings(count=3)))
    for prefix in "SKH":
        assert len({name for product, name in family.items() if product.startswith(prefix)}) == 1
    assert len(set(family.values())) == 3


def test_learned_families_are_named_by_their_telling_words_and_marked() -> None:
    result = learn_families(products(JAPANESE), NONE_SOLD, FamilySettings(count=3))
    assert "センサ" in family_of(result)["S1"]
    assert "画像検査" in family_of(result)["K1"]
    assert "保守" in family_of(result)["H1"]
    assert result.families["learned"].all()
    assert result.product_families["learned"].all()


def test_english_families_follow_the_thing_not_its_colour() -> None:
    colours = ["RED", "BLUE", "GREEN", "PINK"]
    things = ["BOWL", "UMBRELLA", "CANDLE"]
    rows: list[tuple[str, str | None]] = [
        (f"{thing}{colour}", f"{colour} SPOTTY {thing}") for thing in things for colour in colours
    ]
    family = family_of(learn_families(products(rows), NONE_SOLD, FamilySettings(count=3)))
    for thing in things:
        assert len({name for product, name in family.items() if product.startswith(thing)}) == 1
    assert len(set(family.values())) == 3


def test_given_family_wins_over_category_and_is_not_marked_learned() -> None:
    frame = pl.DataFrame(
        {
            "product_id": ["a", "b", "c", "d"],
            "name": ["センサA", "センサB", "センサC", "センサD"],
            "family": ["汎用", None, "", None],
            "category": ["部品", "部品", "部品", None],
        }
    )
    result = learn_families(frame, NONE_SOLD, FamilySettings())
    rows = {row["product_id"]: (row["family"], row["learned"]) for row in result.product_families.iter_rows(named=True)}
    assert rows["a"] == ("汎用", False)
    assert rows["b"] == ("部品", False)
    assert rows["c"] == ("部品", False)
    assert rows["d"][1] is True
    assert rows["d"][0] not in {"汎用", "部品"}
    learned = dict(result.families.select("family", "learned").iter_rows())
    assert learned["汎用"] is False
    assert learned["部品"] is False


def test_products_without_names_go_by_who_buys_them() -> None:
    baskets = [(f"A{n}", ["p1", "p2", "p3"]) for n in range(6)] + [(f"B{n}", ["q1", "q2", "q3"]) for n in range(6)]
    result = learn_families(products([]), sold(baskets), FamilySettings(count=2))
    family = family_of(result)
    assert family["p1"] == family["p2"] == family["p3"]
    assert family["q1"] == family["q2"] == family["q3"]
    assert family["p1"] != family["q1"]


def test_one_product_is_one_family() -> None:
    result = learn_families(products([("only", "ねじ")]), sold([("C", ["only"])]), FamilySettings())
    assert result.families.height == 1
    assert result.product_families.height == 1


def test_product_with_neither_name_nor_buyer_is_in_the_rest() -> None:
    rows = [*JAPANESE, ("X", None)]
    family = family_of(learn_families(products(rows), NONE_SOLD, FamilySettings(count=3)))
    assert family["X"] == "その他"


def test_product_sold_but_missing_from_the_list_gets_a_family() -> None:
    result = learn_families(products(JAPANESE), sold([("C", ["S1", "unlisted"])]), FamilySettings())
    assert "unlisted" in family_of(result)


def test_family_counts_its_customers_and_the_yen_of_the_year() -> None:
    sales = sold([("C1", ["a", "b"]), ("C2", ["a"]), ("C2", ["a"])])
    frame = pl.DataFrame({"product_id": ["a", "b"], "family": ["一", "二"]})
    rows = learn_families(frame, sales, FamilySettings()).families.select("family", "customers", "amount_12m").rows()
    assert rows == [("一", 2, 300.0), ("二", 1, 100.0)]


def test_forty_products_make_a_handful_of_families() -> None:
    kinds = ["ねじ", "ワッシャー", "モーター", "ケーブル", "スイッチ"]
    rows: list[tuple[str, str | None]] = [(f"p{i:02d}", f"{kinds[i % 5]} 型式{i}") for i in range(40)]
    assert 4 <= learn_families(products(rows), NONE_SOLD, FamilySettings()).families.height <= 9


def test_nothing_to_learn_from_gives_empty_tables() -> None:
    result = learn_families(products([]), NONE_SOLD, FamilySettings())
    assert result.families.height == 0
    assert result.product_families.height == 0


def test_missing_product_id_is_named() -> None:
    with pytest.raises(BadInput, match="product_id"):
        learn_families(pl.DataFrame({"code": ["a"]}), NONE_SOLD, FamilySettings())


def test_words_that_take_each_others_place_weigh_little() -> None:
    words = read_words(["red bowl", "blue bowl", "green bowl", "red lamp", "blue lamp", "tall vase", "glass vase"])
    steady = dict(zip(words.shown, words.steady, strict=True))
    assert steady["red"] < 0.3
    assert steady["red"] < steady["vase"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=25))
@settings(max_examples=40, deadline=None)
def test_every_product_gets_one_family_whatever_the_names(names: list[str | None]) -> None:
    rows = [(f"p{i}", name) for i, name in enumerate(names)]
    sales = sold([("C", ["p0"])])
    first, second = (learn_families(products(rows), sales, FamilySettings()) for _ in range(2))
    assert first.product_families.height == len(names)
    assert first.product_families["family"].null_count() == 0
    assert first.families["family"].n_unique() == first.families.height
    assert first.families["products"].sum() == len(names)
    assert first.product_families.equals(second.product_families)
