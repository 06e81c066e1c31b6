"""Codes on order lines that are no product: postage, fees, discounts, corrections, tests. Found, never dropped.

A code is named only with a reason a person can check: its name says it whole, its code is a word for it, its siblings
are, or a code without digits is charged at prices no product has. "POSTAGE STAMP CARD" and サンプルケース stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

from nobishiro.contracts.errors import MappingIncomplete
from nobishiro.contracts.tables import SELLABLE_KINDS
from nobishiro.engine.intake.company_names import fold_for_matching

_AROUND: Final = (
    r"(?:国内|国際|海外|通常|一律|離島|クール|冷凍|冷蔵|追加|特別|その他|各種|配送|銀行|振込|代引き?|決済|返品|"
    r"出荷|発送)*"
)
_AFTER: Final = r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|[:/].{0,20}|一式|等|代|分|額|込み?|(?:10|8|5)%)*"
_SUM: Final = r"[£$€¥]?\d[\d.,]*\s*円?"

_NAMES: Final = (
    (
        "postage",
        rf"{_AROUND}(?:送料|運賃|配送料|配達料|発送料|荷造料|荷造運賃|宅配便?料金?|梱包料){_AFTER}"
        r"|(?:送料|配送|発送)手数料",
    ),
    (
        "postage",
        r"(?:dotcom |uk |eu |overseas |international |domestic |express |standard |extra |web |online )?"
        r"(?:(?:postage|carriage|shipping|freight)(?: (?:&|and) (?:packing|packaging|handling|carriage|delivery))?"
        r"(?: (?:fees?|charges?|costs?))?|delivery (?:fees?|charges?|costs?))",
    ),
    ("fee", rf"{_AROUND}(?:手数料|振込料|収入印紙|印紙代|消費税等?|仮受消費税|軽油引取税|立替金){_AFTER}"),
    (
        "fee",
        r"(?:bank|credit card|card|amazon|paypal|handling|service|transaction|late|commission) (?:fees?|charges?)"
        r"|(?:\w+ )?commission|(?:sales |consumption )?tax|vat",
    ),
    (
        "discount",
        rf"[おご]?(?:出精|特別|端数|会員|まとめ買い|数量|セット|年末|期末|売上)*(?:値引き?|割引き?|リベート|歩引き?"
        rf"|クーポン(?:利用|値引き?|割引)?|ポイント(?:利用|値引き?|充当|使用)){_AFTER}",
    ),
    ("discount", r"(?:cash |trade |volume |special |staff |member )?(?:discount|coupon|rebate)s?"),
    (
        "adjustment",
        rf"[おご]?(?:売上|金額|端数|在庫|残高|差額|請求|単価|消費税|前月)*(?:調整|訂正|補正|修正|相殺|返金|貸倒れ?|前受金?"
        rf"|前受け|内金|預り金|預かり金){_AFTER}",
    ),
    (
        "adjustment",
        r"manual|(?:manual )?adjust(?:ment)?s?(?: by .*| bad debt)?|bad debt.*|write[- ]?offs?|rounding|refunds?"
        r"|deposit|prepayment",
    ),
    (
        "test",
        r"テスト(?:商品|品|データ|用|登録|\d*)?(?:\(.*\))?|ダミー(?:商品|コード)?"
        r"|(?:this is an? )?test(?:ing)?(?: (?:product|item|data|order|code))?\.?\s*\d*",
    ),
    ("other", r"(?:無料|無償)?(?:サンプル|見本)(?:品|送付|提供)?|(?:free )?samples?"),
    (
        "other",
        rf"(?:\S{{1,20}} )?gift (?:voucher|certificate|card)s? ?{_SUM}|(?:\S{{1,20}} )?gift (?:voucher|certificate)s?"
        rf"|\S{{0,10}}(?:商品券|ギフト券|ギフトカード|プリペイドカード)\s*(?:{_SUM})?",
    ),
)
_CODES: Final = (
    ("postage", r"post(?:age)?|dot|ship(?:ping)?|freight|carriage|souryou?|soryo|unchin|送料|運賃"),
    ("fee", r"bank ?charges?|amazon ?fee|fee|cruk|tax|vat|tesuryo|手数料|消費税"),
    ("discount", r"discount|coupon|nebiki|waribiki|値引き?|割引"),
    ("adjustment", r"adj(?:ust(?:ment)?)?[-_ ]?\d{0,3}|manual|refund|chosei|調整"),
    ("test", r"(?:test|dummy|テスト|ダミー)[-_ ]?\d{0,4}"),
    ("other", r"sample|gift[_ -]?(?:voucher|certificate)[-_ ]?\d{0,6}"),
)
_NAME_PATTERNS: Final = tuple((kind, re.compile(rf"(?:{pattern})$")) for kind, pattern in _NAMES)
_CODE_PATTERNS: Final = tuple((kind, re.compile(rf"(?:{pattern})$")) for kind, pattern in _CODES)
_KIND_WORDS: Final = {
    "postage": ("送料・運賃", "postage"),
    "fee": ("手数料・税など", "a fee or tax"),
    "discount": ("値引き", "a discount"),
    "adjustment": ("調整・訂正", "an adjustment"),
    "test": ("テスト", "a test"),
    "other": ("商品以外", "no product"),
}
_MIN_SIBLINGS: Final = 3
_MIN_LINES: Final = 20
_PRICE_SPREAD: Final = 20.0
"""A 90th percentile of prices this many times the 10th: amounts typed by hand, not a product's price."""


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    why_ja: str
    why_en: str


def classify_products(products: pl.DataFrame | None, lines: pl.DataFrame) -> pl.DataFrame:
    """Codes that are no product, one row each: product_id, name, kind, why_ja, why_en, lines, amount.

    `products` has `product_id` and may have `name` and `kind`; a kind given there is respected, whatever the name says.
    `lines` are order lines before or after netting: `product_id`, and `quantity` and `amount` where there are any; a
    `name` column there serves codes the product table does not have. `kind` is postage, fee, discount, adjustment,
    test or other. `lines` counts the code's lines, `amount` sums them (null without amounts). Sorted by lines, most
    first. Codes that are not listed are products as far as anybody can tell. Raises `MappingIncomplete` without
    `product_id`.
    """
    if "product_id" not in lines.columns:
        raise MappingIncomplete("order lines lack product_id; map it before looking for codes that are no product")
    codes = _codes(products, lines)
    spreads = _hand_typed_prices(codes, lines)
    found: dict[str, _Found] = {}
    for code, name, given in codes.select("product_id", "name", "kind").iter_rows():
        if given is not None:
            if given not in SELLABLE_KINDS:
                found[code] = _Found(given, "商品マスタの種別による", "its kind in the product table")
            continue
        verdict = _by_name(name) or _by_code(code, name) or _by_price(code, name, spreads)
        if verdict:
            found[code] = verdict
    _add_siblings(found, codes)
    verdicts = pl.DataFrame(
        {
            "product_id": pl.Series(list(found), dtype=pl.String),
            "kind": pl.Series([verdict.kind for verdict in found.values()], dtype=pl.String),
            "why_ja": pl.Series([verdict.why_ja for verdict in found.values()], dtype=pl.String),
            "why_en": pl.Series([verdict.why_en for verdict in found.values()], dtype=pl.String),
        }
    )
    columns = ("product_id", "name", "kind", "why_ja", "why_en", "lines", "amount")
    result = verdicts.join(codes.drop("kind"), on="product_id", how="left").select(columns)
    result = result.with_columns(pl.col("product_id").cast(lines.schema["product_id"]))
    return result.sort("lines", "product_id", descending=[True, False])


def _codes(products: pl.DataFrame | None, lines: pl.DataFrame) -> pl.DataFrame:
    """product_id (String), name (the product table's, else the usual one), kind, lines, amount of every code."""
    amount = pl.col("amount").sum() if "amount" in lines.columns else pl.lit(None, dtype=pl.Float64)
    totals = (
        lines.lazy()
        .filter(pl.col("product_id").is_not_null())
        .group_by("product_id")
        .agg(lines=pl.len().cast(pl.Int64), amount=amount)
        .with_columns(pl.col("product_id").cast(pl.String))
        .collect()
        .sort("product_id")
    )
    text = pl.lit(None, dtype=pl.String)
    master = pl.DataFrame(schema={"product_id": pl.String, "name": pl.String, "kind": pl.String})
    if products is not None:
        master = products.select(
            pl.col("product_id").cast(pl.String),
            (pl.col("name").cast(pl.String) if "name" in products.columns else text).alias("name"),
            (pl.col("kind").cast(pl.String) if "kind" in products.columns else text).alias("kind"),
        ).unique("product_id", keep="first", maintain_order=True)
    if "name" in lines.columns:
        said = (
            lines.lazy()
            .filter(pl.col("name").is_not_null())
            .group_by(pl.col("product_id").cast(pl.String), line_name="name")
            .agg(times=pl.len())
            .collect()
        )
        usual = said.sort("times", "line_name", descending=[True, False]).unique("product_id", maintain_order=True)
        master = (
            totals.select("product_id")
            .join(master, on="product_id", how="left")
            .join(usual, on="product_id", how="left")
        )
        master = master.select("product_id", pl.coalesce("name", "line_name").alias("name"), "kind")
    return totals.join(master, on="product_id", how="left", maintain_order="left")


def _by_name(name: str | None) -> _Found | None:
    kind = _kind_of_name(name) if name else None
    if name is None or kind is None:
        return None
    ja, en = _KIND_WORDS[kind]
    return _Found(kind, f"商品名「{name.strip()}」が{ja}を表す", f'its name "{name.strip()}" says {en}')


def _kind_of_name(name: str) -> str | None:
    text = " ".join(fold_for_matching(name).split())
    return next((kind for kind, pattern in _NAME_PATTERNS if pattern.match(text)), None)


def _by_code(code: str, name: str | None) -> _Found | None:
    """By a code that is a word for it; a name that says something else wins."""
    text = fold_for_matching(code).strip()
    kind = next((kind for kind, pattern in _CODE_PATTERNS if pattern.match(text)), None)
    if kind is None or (name is not None and (len(name.split()) > 1 or len(name) > 12)):
        return None
    ja, en = _KIND_WORDS[kind]
    return _Found(kind, f"商品コード「{code}」が{ja}を表す", f'its code "{code}" says {en}')


def _by_price(code: str, name: str | None, spreads: dict[str, float]) -> _Found | None:
    spread = spreads.get(code)
    if spread is None or name is not None:
        return None
    return _Found(
        "adjustment",
        f"数字のないコードで名称がなく、単価が{spread:,.0f}倍も開いている(手入力の金額とみられる)",
        f"a code without digits and without a name, at unit prices {spread:,.0f} times apart: amounts typed by hand",
    )


def _hand_typed_prices(codes: pl.DataFrame, lines: pl.DataFrame) -> dict[str, float]:
    """How far apart the unit prices of short codes without digits are, where nearly all other codes have digits."""
    if "amount" not in lines.columns or "quantity" not in lines.columns or codes.height < 50:
        return {}
    digits = codes["product_id"].str.contains(r"\d")
    if digits.mean() < 0.9:  # type: ignore[operator] # a Float64 mean of a non-empty Boolean column
        return {}
    short = codes.filter(
        pl.col("product_id").str.len_chars() <= 3, pl.col("lines") >= _MIN_LINES, pl.col("name").is_null()
    )["product_id"]
    price = (pl.col("amount").cast(pl.Float64) / pl.col("quantity").cast(pl.Float64)).abs()
    spread = (
        lines.lazy()
        .filter(
            pl.col("product_id").cast(pl.String).is_in(short.implode()), pl.col("amount") != 0, pl.col("quantity") != 0
        )
        .group_by(pl.col("product_id").cast(pl.String))
        .agg(low=price.quantile(0.1), high=price.quantile(0.9), lines=pl.len())
        .filter(pl.col("lines") >= _MIN_LINES, pl.col("high") > _PRICE_SPREAD * pl.col("low"))
        .collect()
    )
    return {code: high / low for code, low, high in spread.select("product_id", "low", "high").iter_rows() if low > 0}


def _add_siblings(found: dict[str, _Found], codes: pl.DataFrame) -> None:
    """Codes without a name that differ from at least three found ones of one kind in digits only."""
    kinds: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    nameless: list[tuple[str, str]] = []
    for code, name in codes.select("product_id", "name").iter_rows():
        if re.search(r"[A-Za-zぁ-ヺ一-龠]{3}", code) is None or not re.search(r"\d", code):
            continue
        stem = re.sub(r"\d+", "0", code)
        if code in found:
            kinds.setdefault(stem, set()).add(found[code].kind)
            counts[stem] = counts.get(stem, 0) + 1
        elif name:
            kinds.setdefault(stem, set()).add("goods")
        else:
            nameless.append((code, stem))
    for code, stem in nameless:
        if counts.get(stem, 0) >= _MIN_SIBLINGS and len(kinds[stem]) == 1:
            ja, en = _KIND_WORDS[next(iter(kinds[stem]))]
            count = counts[stem]
            found[code] = _Found(
                next(iter(kinds[stem])),
                f"名称がなく、同じ形のコード{count}件がすべて{ja}",
                f"no name, and the {count} other codes of this shape are all {en}",
            )
