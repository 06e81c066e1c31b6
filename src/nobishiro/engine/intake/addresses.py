"""Addresses, telephone numbers and mail domains as keys that two spellings of the same place share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import polars as pl

from nobishiro.engine.intake.company_names import fold_for_matching

_PREFECTURE_NAMES: Final = (
    "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 "
    "新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 "
    "静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 "
    "徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 "
    "熊本県 大分県 宮崎県 鹿児島県 沖縄県"
)
PREFECTURES: Final = tuple(_PREFECTURE_NAMES.split())
"""The 47, in the official order."""

_PROVIDERS: Final = (
    "gmail.com googlemail.com yahoo.co.jp yahoo.ne.jp ybb.ne.jp yahoo.com ymail.ne.jp docomo.ne.jp "
    "mopera.net ezweb.ne.jp au.com uqmobile.jp "
    "softbank.ne.jp i.softbank.jp disney.ne.jp vodafone.ne.jp jp-t.ne.jp ymobile.ne.jp ymobile1.ne.jp "
    "y-mobile.ne.jp willcom.com pdx.ne.jp "
    "rakuten.jp rakumail.jp icloud.com me.com mac.com outlook.com outlook.jp hotmail.com hotmail.co.jp "
    "live.jp live.com msn.com aol.com aol.jp "
    "excite.co.jp goo.jp goo.ne.jp infoseek.jp livedoor.com nifty.com nifty.ne.jp ocn.ne.jp biglobe.ne.jp "
    "so-net.ne.jp plala.or.jp dion.ne.jp "
    "auone-net.jp odn.ne.jp hi-ho.ne.jp asahi-net.or.jp wakwak.com jcom.home.ne.jp jcom.zaq.ne.jp "
    "zaq.ne.jp zaq.jp eonet.ne.jp commufa.jp "
    "t-com.ne.jp tokai.or.jp nuro.jp iijmio-mail.jp mineo.jp proton.me protonmail.com gmx.com mail.com "
    "yandex.ru qq.com 163.com naver.com"
)
FREE_MAIL: Final = frozenset(_PROVIDERS.split())
"""Domains of mail providers: sharing one says nothing."""

_PREFECTURE: Final = re.compile("|".join(PREFECTURES))
_POSTAL: Final = re.compile(r"^〒?\s*\d{3}-?\d{4}(?!\d|-)\s*")
_DASHES: Final = re.compile(r"(?<=[0-9〇一二三四五六七八九十])\s*[-‐‑‒–—―−ー─━ｰ~〜]\s*(?=[0-9〇一二三四五六七八九十])")
_KANJI: Final = re.compile(
    r"[〇一二三四五六七八九十百]+(?=丁目|番地|番(?![町丁])|号|条|線|地割|-[0-9〇一二三四五六七八九十])"
    r"|(?<=-)[〇一二三四五六七八九十百]+|(?<=丁目)[〇一二三四五六七八九十百]+|(?<=番地の)[〇一二三四五六七八九十百]+"
)
_OAZA: Final = re.compile(r"大字|(?<=[市区町村])字")
_NO_BETWEEN: Final = re.compile(r"(?<=[一-龠])ノ(?=[一-龠])")
_CHAIN: Final = re.compile(r"\d+(?:-\d+)*(?![条線\d地])")
_KANJI_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")}


def prefecture_of(address: str | None) -> str | None:
    """The prefecture an address text begins with (after a postal code), or None.

    Only the text decides: leading digits of a postal code are no reliable sign of the prefecture.
    """
    if not address:
        return None
    text = _POSTAL.sub("", fold_for_matching(address).strip())
    match = _PREFECTURE.match(text)
    return match[0] if match else None


def address_key(address: str | None) -> str | None:
    """The address down to the 号 without prefecture and building, or None when it names no number.

    "東京都千代田区丸の内一丁目２番３号 丸ビル5階" and "千代田区丸の内1-2-3" give `千代田区丸の内1-2-3`. Compare the
    prefectures apart: the column often holds the address below it. An address without numbers is too coarse
    to be evidence.
    """
    if not address:
        return None
    text = _POSTAL.sub("", fold_for_matching(address).strip())
    match = _PREFECTURE.match(text)
    text = re.sub(r"(?<![\d号階])\s+(?=\d)", "", text[match.end() :] if match else text)
    text = _DASHES.sub("-", text)
    text = _KANJI.sub(lambda found: str(_kanji_number(found[0])), text)
    text = _OAZA.sub("", _NO_BETWEEN.sub("の", text))
    text = re.sub(r"(?<=\d)(?:丁目|番地の?|番(?![町丁])|地割|の(?=\d))(?:第?(?=\d))?", "-", text)
    text = re.sub(r"(?<=\d)号", "", text)
    text = re.sub(r"(?<=-)\s+(?=\d)", "", text).rstrip("-")
    text = re.sub(r"-{2,}", "-", text)
    chain = _CHAIN.search(text)
    if chain is None:
        return None
    town = re.sub(r"[\s,.、。]", "", text[: chain.start()])
    numbers = "-".join(str(int(number)) for number in chain[0].split("-")[:3])
    return town + numbers if town else None


def phone_key(phone: str | None) -> str | None:
    """The digits of a Japanese telephone number with its leading 0 (10 or 11), or None.

    +81 becomes 0, a zero that a spreadsheet swallowed comes back, an extension is left off. Placeholders such as
    03-0000-0000 give None.
    """
    if not phone:
        return None
    text = re.split(r"内線|ext|#|/|、|,|;", fold_for_matching(phone))[0]
    digits = "".join(character for character in text if character in "0123456789")
    if "+81" in text.replace(" ", "") or (digits.startswith("81") and len(digits) in (11, 12)):
        digits = "0" + digits.removeprefix("81").removeprefix("0")
    elif (len(digits) == 9 and digits[0] != "0") or (len(digits) == 10 and digits[:2] in ("70", "80", "90", "50")):
        digits = "0" + digits
    if not digits.startswith("0") or len(digits) not in (10, 11) or digits[1] == "0":
        return None
    return None if len(set(digits[-7:])) == 1 else digits


def mail_domain_key(value: str | None) -> str | None:
    """The company's own domain out of a domain, mail address or web address; None for a free-mail provider's."""
    if not value:
        return None
    text = fold_for_matching(value).strip().rstrip(".")
    text = re.sub(r"^[a-z]+://", "", text).split("/")[0].split("?")[0].split(":")[0].rsplit("@", 1)[-1]
    for prefix in ("www.", "mail.", "smtp."):
        text = text.removeprefix(prefix) if text.count(".") > 1 else text
    if not re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", text):
        return None
    labels = text.split(".")
    if any(".".join(labels[start:]) in FREE_MAIL for start in range(len(labels) - 1)):
        return None
    return text


def keys_of(values: pl.Series, key: Callable[[str | None], str | None]) -> pl.Series:
    """`key` over a column, String; each distinct value is computed once, null where there is no key."""
    texts = values.cast(pl.String)
    distinct = texts.drop_nulls().unique(maintain_order=True)
    keys = pl.Series([key(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, keys, default=None, return_dtype=pl.String)


def _kanji_number(text: str) -> int:
    if not any(unit in text for unit in "十百"):
        return int("".join(str(_KANJI_DIGITS[digit]) for digit in text))
    total, digit = 0, 0
    for character in text:
        if character in _KANJI_DIGITS:
            digit = digit * 10 + _KANJI_DIGITS[character]
        else:
            total += max(digit, 1) * (100 if character == "百" else 10)
            digit = 0
    return total + digit
