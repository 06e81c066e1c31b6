"""Legal forms of companies and other bodies, Japanese and Western, as they are written before, after or abbreviated.

Patterns read folded text (NFKC, lower case): ㈱ and （株） have become (株) there, ㍿ has become 株式会社.
"""

from __future__ import annotations

import re
from typing import Final

_JAPANESE_NAMES: Final = (
    "地方独立行政法人 独立行政法人 国立研究開発法人 国立大学法人 公立大学法人 特定非営利活動法人 npo法人 "
    "一般社団法人 一般財団法人 公益社団法人 公益財団法人 "
    "社団法人 財団法人 医療法人社団 医療法人財団 社会医療法人 医療法人 準学校法人 学校法人 社会福祉法人 "
    "宗教法人 農事組合法人 弁護士法人 税理士法人 "
    "司法書士法人 行政書士法人 社会保険労務士法人 弁理士法人 特許業務法人 土地家屋調査士法人 監査法人 "
    "更生保護法人 職業訓練法人 "
    "特例有限会社 株式会社 有限会社 合同会社 合資会社 合名会社 相互会社 特定目的会社"
)
_JAPANESE: Final = tuple(_JAPANESE_NAMES.split())
_ABBREVIATED: Final = {
    "株": "株式会社",
    "有": "有限会社",
    "同": "合同会社",
    "合": "合同会社",
    "資": "合資会社",
    "名": "合名会社",
    "相": "相互会社",
    "医": "医療法人",
    "学": "学校法人",
    "福": "社会福祉法人",
    "社": "社団法人",
    "財": "財団法人",
    "宗": "宗教法人",
    "独": "独立行政法人",
    "一社": "一般社団法人",
    "一財": "一般財団法人",
    "公社": "公益社団法人",
    "公財": "公益財団法人",
    "特非": "特定非営利活動法人",
    "カ": "株式会社",
    "ユ": "有限会社",
    "ド": "合同会社",
    "シ": "合資会社",
    "メ": "合名会社",
}
"""Inside parentheses, the last five as bank transfers write them: カ)ヤマダ, ヤマダ(カ."""
_WESTERN: Final = (
    ("Pte. Ltd.", r"pte\.?\s*,?\s*ltd\.?"),
    ("Pty. Ltd.", r"pty\.?\s*,?\s*ltd\.?"),
    ("Co., Ltd.", r"co\.?\s*,?\s*ltd\.?|company\s*,?\s*limited|co\.?\s*,?\s*limited"),
    ("Co., Inc.", r"co\.?\s*,?\s*inc\.?"),
    ("K.K.", r"k\.\s?k\.?|kk|kabushiki\s*[kg]aisha"),
    ("G.K.", r"g\.\s?k\.?|godo\s*[kg]aisha"),
    ("Y.K.", r"y\.\s?k\.?|yugen\s*[kg]aisha"),
    ("Inc.", r"inc\.?|incorporated"),
    ("LLC", r"l\.?l\.?c\.?"),
    ("LLP", r"l\.?l\.?p\.?"),
    ("Corp.", r"corp\.?|corporation"),
    ("PLC", r"p\.?l\.?c\.?"),
    ("GmbH", r"gmbh"),
    ("AG", r"a\.?g\.?"),
    ("S.A.", r"s\.a\.?|sa"),
    ("S.A.S.", r"s\.a\.s\.?|sas"),
    ("S.r.l.", r"s\.?r\.?l\.?"),
    ("S.p.A.", r"s\.?p\.?a\.?"),
    ("B.V.", r"b\.?v\.?"),
    ("N.V.", r"n\.v\.?"),
    ("Ltd.", r"ltd\.?|limited"),
    ("Co.", r"co\.?|company"),
)

_LONG: Final = "|".join(_JAPANESE)
_SHORT: Final = "|".join(sorted(_ABBREVIATED, key=len, reverse=True))
_WEST: Final = "|".join(pattern for _, pattern in _WESTERN)

FRONT_FORM: Final = re.compile(rf"^\s*(?P<form>{_LONG}|\((?:{_SHORT})\)|(?:{_SHORT})\)|k\.k\.(?=\s))[\s・,.]*")
"""A form at the start, with what separates it from the name."""
ENDING_FORM: Final = re.compile(
    rf"[\s・]*(?P<form>{_LONG}|\((?:{_SHORT})\)|\((?:{_SHORT}))$"
    rf"|(?:[\s,]+|(?<=[.)\]]))\(?(?P<west>{_WEST})\)?[\s,.]*$"
    r"|(?P<tight>co\s*\.\s*,?\s*ltd\.?|,\s*inc\.?)[\s,.]*$"
)
"""A form at the end; Western ones need a separator before them, so that `zinc` keeps its `inc`."""
INNER_FORM: Final = re.compile(rf"^(?P<name>.+?)[\s・]*(?P<form>{_LONG}|\((?:{_SHORT})\))[\s・]*(?P<branch>[^()]+)$")
"""A form between the name and what follows it; the caller checks that a branch follows."""

_BY_PATTERN: Final = tuple((name, re.compile(rf"^(?:{pattern})$")) for name, pattern in _WESTERN)
_LIKE: Final = {
    "K.K.": "株式会社",
    "G.K.": "合同会社",
    "Y.K.": "有限会社",
    "特例有限会社": "有限会社",
    "医療法人社団": "医療法人",
    "医療法人財団": "医療法人",
    "社会医療法人": "医療法人",
    "NPO法人": "特定非営利活動法人",
}


def canonical_form(text: str) -> str:
    """One spelling of a legal form found in folded text: `(株)` → 株式会社, `co.,ltd` → `Co., Ltd.`."""
    bare = text.strip("() ,")
    if bare in _ABBREVIATED:
        return _ABBREVIATED[bare]
    if bare in _JAPANESE:
        return bare.replace("npo", "NPO")
    for name, pattern in _BY_PATTERN:
        if pattern.match(bare):
            return name
    return bare


def form_class(form: str | None) -> str | None:
    """The form in law, as far as its name decides it: two different classes are two different bodies.

    Western forms that Japanese companies of any kind put on their cards (Co., Ltd., Inc. …) decide nothing and give
    None. 社団法人 and 財団法人 stand for either of their two kinds.
    """
    if form is None:
        return None
    form = _LIKE.get(form, form)
    if form in ("社団法人", "一般社団法人", "公益社団法人"):
        return "社団法人"
    if form in ("財団法人", "一般財団法人", "公益財団法人"):
        return "財団法人"
    return form if form in _JAPANESE or form == "特定非営利活動法人" else None
