import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nobishiro.engine.intake.addresses import (
    PREFECTURES,
    address_key,
    keys_of,
    mail_domain_key,
    phone_key,
    prefecture_of,
)


@pytest.mark.parametrize(
    "address",
    [
        "東京都千代田区丸の内一丁目2番3号",
        "千代田区丸の内1-2-3",
        "千代田区丸の内１－２－３",
        "千代田区丸の内1丁目2−3 丸ビル5階",
        "千代田区丸ノ内1ー2ー3",
        "〒100-0005 東京都千代田区丸の内 1丁目 2番 3号 20階",
        "千代田区丸の内一‐二‐三",
        "千代田区丸の内1-2-3-501",
    ],
)
def test_spellings_of_one_address_share_a_key(address):
    assert address_key(address) == "千代田区丸の内1-2-3"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("札幌市中央区北一条西三丁目2番地1", "北海道札幌市中央区北1条西3-2-1"),
        ("蓮田市大字中山一二三番地の四", "蓮田市中山123-4"),
        ("渋谷区神南二十三番五号", "渋谷区神南23-5"),
    ],
)
def test_kanji_numbers_and_lot_numbers_match(one, other):
    assert address_key(one) == address_key(other) is not None


def test_different_numbers_and_towns_stay_apart():
    assert address_key("千代田区丸の内1-2-3") != address_key("千代田区丸の内1-2-4")
    assert address_key("千代田区三番町6-2") != address_key("千代田区五番町6-2")
    assert address_key("千代田区丸の内1-23") != address_key("千代田区丸の内12-3")


@pytest.mark.parametrize("address", [None, "", "東京都千代田区", "1-2-3"])
def test_coarse_address_is_no_evidence(address):
    assert address_key(address) is None


def test_prefecture_comes_from_the_text_only():
    assert prefecture_of("東京都千代田区丸の内1-2-3") == "東京都"
    assert prefecture_of("〒530-0001 大阪府大阪市北区") == "大阪府"
    assert prefecture_of("530-0001") is None
    assert prefecture_of("千代田区") is None
    assert prefecture_of(None) is None
    assert len(PREFECTURES) == 47


@pytest.mark.parametrize(
    "phone",
    [
        "03-1234-5678",
        "０３（１２３４）５６７８",
        "+81 3 1234 5678",
        "+81 (0)3-1234-5678",
        "312345678",
        "03.1234.5678 内線12",
    ],
)
def test_spellings_of_one_phone_share_a_key(phone):
    assert phone_key(phone) == "0312345678"


@pytest.mark.parametrize("phone", [None, "", "1234", "03-0000-0000", "0000000000", "なし"])
def test_placeholder_is_no_phone(phone):
    assert phone_key(phone) is None


def test_mobile_number_gets_its_zero_back():
    assert phone_key("9012345678") == phone_key("090-1234-5678") == "09012345678"


@pytest.mark.parametrize(
    "value", ["taro@example.co.jp", "https://www.example.co.jp/a?b", "WWW.EXAMPLE.CO.JP", "example.co.jp"]
)
def test_domain_is_found_in_addresses(value):
    assert mail_domain_key(value) == "example.co.jp"


@pytest.mark.parametrize(
    "value",
    [
        "a@gmail.com",
        "yahoo.co.jp",
        "docomo.ne.jp",
        "ezweb.ne.jp",
        "a@i.softbank.jp",
        "icloud.com",
        "outlook.jp",
        "hotmail.co.jp",
        "nifty.com",
        "x@abc.ocn.ne.jp",
        "biglobe.ne.jp",
        "none",
        None,
    ],
)
def test_free_mail_domain_is_no_evidence(value):
    assert mail_domain_key(value) is None


def test_column_of_keys():
    assert keys_of(pl.Series(["03-1234-5678", None, "x"]), phone_key).to_list() == ["0312345678", None, None]


@given(st.text(max_size=40))
def test_any_text_gives_a_key_or_none(text):
    for key in (address_key, phone_key, mail_domain_key, prefecture_of):
        assert key(text) is None or key(text)


@given(st.integers(1, 40), st.integers(1, 99), st.integers(1, 99))
def test_written_out_and_hyphenated_numbers_agree(chome, ban, go):
    assert (
        address_key(f"港区芝{chome}丁目{ban}番{go}号")
        == address_key(f"港区芝{chome}-{ban}-{go}")
        == f"港区芝{chome}-{ban}-{go}"
    )
