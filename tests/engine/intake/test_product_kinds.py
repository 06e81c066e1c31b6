from pathlib import Path

import polars as pl
import pytest

import nobishiro.demo_data
from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.contracts.tables import PRODUCT_KINDS
from nobishiro.engine.intake.product_kinds import classify_products


def found_kinds(names, kinds=None):
    codes = [f"{number:05d}" for number in range(len(names))]
    products = pl.DataFrame(
        {"product_id": codes, "name": names, "kind": kinds or [None] * len(names)}, schema_overrides={"kind": pl.String}
    )
    lines = pl.DataFrame({"product_id": codes, "quantity": 1, "amount": 100})
    found = classify_products(products, lines)
    by_code = dict(found.select("product_id", "kind").iter_rows())
    return [by_code.get(code) for code in codes]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("送料", "postage"),
        ("送料(北海道)", "postage"),
        ("国内運賃", "postage"),
        ("DOTCOM POSTAGE", "postage"),
        ("Carriage", "postage"),
        ("Delivery charge", "postage"),
        ("代引手数料", "fee"),
        ("消費税10%", "fee"),
        ("Bank Charges", "fee"),
        ("AMAZON FEE", "fee"),
        ("CRUK Commission", "fee"),
        ("出精値引", "discount"),
        ("お値引き", "discount"),
        ("ポイント利用", "discount"),
        ("Discount", "discount"),
        ("端数調整", "adjustment"),
        ("前受金", "adjustment"),
        ("Manual", "adjustment"),
        ("Adjust bad debt", "adjustment"),
        ("テスト商品", "test"),
        ("This is a test product.", "test"),
        ("SAMPLES", "other"),
        ("ギフト券", "other"),
        ("Dotcomgiftshop Gift Voucher £30.00", "other"),
    ],
)
def test_name_that_says_it_whole_is_found(name, kind):
    assert found_kinds([name]) == [kind]


@pytest.mark.parametrize(
    "name",
    [
        "POSTAGE STAMP CARD HOLDER",
        "VINTAGE POST OFFICE CABINET",
        "送料無料セット",
        "サンプルケース",
        "pH測定用テスト紙",
        "ポイントカード",
        "高さ調整ボルト",
        "MANUAL PUMP",
        "BABY CARRIAGE",
        "OCCASIONS GIFT CARD ASSORTMENT",
        "ギフトカードホルダー",
        "保守料",
        "FOOD DELIVERY",
        "割引券ケース",
        "COLOUR SAMPLE BOOK",
    ],
)
def test_product_that_only_mentions_the_word_is_kept(name):
    assert found_kinds([name]) == [None]


def test_given_kind_is_respected_both_ways():
    assert found_kinds(["送料", "光電センサ"], ["goods", "fee"]) == [None, "fee"]


def test_code_that_is_a_word_for_it_is_found_without_names():
    lines = pl.DataFrame(
        {"product_id": ["POST", "TEST001", "ADJUST2", "BANK CHARGES", "E100", "DISC001", "SP1002"], "amount": 1.0}
    )
    found = classify_products(None, lines)
    assert dict(found.select("product_id", "kind").iter_rows()) == {
        "POST": "postage",
        "TEST001": "test",
        "ADJUST2": "adjustment",
        "BANK CHARGES": "fee",
    }


def test_name_wins_over_the_code():
    products = pl.DataFrame({"product_id": ["DOT"], "name": ["Dotted ribbon, red, 10 m"]})
    assert classify_products(products, pl.DataFrame({"product_id": ["DOT"], "amount": [1.0]})).height == 0


def test_one_stray_note_does_not_make_a_product_something_else():
    lines = pl.DataFrame({"product_id": "22548", "name": ["adjustment", *["HEADS AND TAILS GAME"] * 9], "amount": 1.0})
    assert classify_products(None, lines).height == 0


def test_short_code_at_prices_no_product_has_is_an_adjustment():
    real = pl.DataFrame({"product_id": [f"{n:05d}" for n in range(60)], "quantity": 1.0, "amount": 100.0})
    typed = pl.DataFrame({"product_id": "M", "quantity": 1.0, "amount": [float(10 * 2**n) for n in range(20)]})
    steady = pl.DataFrame({"product_id": "PEN", "quantity": 1.0, "amount": [100.0 + n for n in range(20)]})
    found = classify_products(None, pl.concat([real, typed, steady]))
    assert found.select("product_id", "kind", "lines").rows() == [("M", "adjustment", 20)]


def test_nameless_sibling_of_found_codes_is_found():
    names = ["Gift Voucher £10", "Gift Voucher £20", "Gift Voucher £30", None]
    products = pl.DataFrame({"product_id": [f"gift_{n}" for n in range(4)], "name": names})
    lines = pl.DataFrame({"product_id": products["product_id"], "amount": 1.0})
    assert classify_products(products, lines)["product_id"].to_list() == ["gift_0", "gift_1", "gift_2", "gift_3"]


def test_totals_and_reasons_are_shown():
    products = pl.DataFrame({"product_id": ["1", "2"], "name": ["送料", "センサ"]})
    found = classify_products(products, pl.DataFrame({"product_id": ["1", "1", "2"], "amount": [500.0, 300.0, 9.0]}))
    assert found.drop("why_en").rows() == [("1", "送料", "postage", "商品名「送料」が送料・運賃を表す", 2, 800.0)]


def test_missing_code_column_is_named():
    with pytest.raises(MappingIncomplete, match="product_id"):
        classify_products(None, pl.DataFrame({"amount": [1.0]}))


def test_bundled_data_lose_no_real_product():
    source = pl.read_parquet(Path(nobishiro.demo_data.__path__[0]) / "online_retail_ii.parquet")
    lines = source.select(
        product_id="StockCode", name="Description", quantity="Quantity", amount=pl.col("Quantity") * pl.col("Price")
    )
    found = classify_products(None, lines)
    codes = set(found["product_id"])
    expected = {
        "POST",
        "DOT",
        "M",
        "m",
        "C2",
        "D",
        "S",
        "B",
        "BANK CHARGES",
        "ADJUST",
        "ADJUST2",
        "AMAZONFEE",
        "CRUK",
        "TEST001",
        "TEST002",
    }
    vouchers = {f"gift_0001_{tens}0" for tens in range(1, 10)}
    assert codes - {"22016", "23595"} == expected | vouchers
    assert not any(code.startswith(("DCGS", "SP", "PADS")) for code in codes)
    assert set(found["kind"]) <= set(PRODUCT_KINDS)
