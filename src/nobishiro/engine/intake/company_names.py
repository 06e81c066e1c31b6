"""Names of companies and people taken apart for matching: the telling core, the legal form, the branch.

The name as shown is never changed. What matching compares is the core: width, case, spaces, punctuation and common
kanji variants are evened out there, the long vowel mark ー never is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from nobishiro.engine.intake.legal_forms import ENDING_FORM, FRONT_FORM, INNER_FORM, canonical_form

FormPosition = Literal["front", "back"]

_VARIANT_PAIRS: Final = (
    "髙高 﨑崎 碕崎 嵜崎 邊辺 邉辺 齋斎 齊斎 斉斎 澤沢 濱浜 濵浜 嶋島 嶌島 廣広 國国 龍竜 瀧滝 櫻桜 惠恵 德徳 "
    "眞真 圓円 學学 會会 與与 "
    "藏蔵 當当 榮栄 壽寿 鐵鉄 寶宝 實実 萬万 彌弥 應応 曾曽 槇槙 舘館 冨富 峯峰 埜野 穗穂 增増 黑黒 靜静 "
    "條条 渕淵 舩船 桒桑 "
    "𠮷吉 栁柳 桧檜 薮藪 賴頼 尙尚 淸清 薗園 嶽岳 緖緒 鄕郷 郞郎 橫横 關関 豐豊 繩縄 檢検 證証 號号 "
    "釼剣 劍剣 莊荘 菴庵 盡尽 "
    "聰聡 總総 醫医 藥薬 體体 氣気 轉転 發発 賣売 價価 團団 ヶケ ヵカ"
)
VARIANTS: Final = str.maketrans({pair[0]: pair[1] for pair in _VARIANT_PAIRS.split()})
"""Kanji written in several ways, and small ヶ ヵ: evened out for matching only, never for display."""
_VARIANT: Final = re.compile(f"[{''.join(pair[0] for pair in _VARIANT_PAIRS.split())}]")

_PLACES: Final = (
    "北海道|青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|東京|神奈川|新潟|富山|石川|福井|山梨|長野|"
    "岐阜|静岡|愛知|三重|滋賀|京都|大阪|"
    "兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島|沖縄|"
    "札幌|函館|旭川|仙台|盛岡|郡山|水戸|つくば|宇都宮|前橋|高崎|大宮|さいたま|川越|川口|船橋|横浜|川崎|相模原|"
    "厚木|藤沢|八王子|立川|町田|吉祥寺|"
    "新宿|渋谷|池袋|品川|銀座|日本橋|丸の内|上野|秋葉原|有楽町|六本木|金沢|甲府|松本|浜松|沼津|名古屋|豊田|"
    "豊橋|岡崎|四日市|大津|堺|梅田|難波|なんば|"
    "天王寺|心斎橋|東大阪|神戸|三宮|姫路|尼崎|西宮|倉敷|福山|下関|高松|松山|北九州|小倉|博多|天神|久留米|那覇|"
    "北日本|東日本|中日本|西日本|東北|関東|北関東|南関東|首都圏|中部|北陸|東海|甲信越|信越|近畿|関西|中国|四国|九州"
)
_STRONG: Final = "支店|支社|支部|支所|営業所|事業所|出張所|工場|センター|物流センター|本社|本店"
_UNIT: Final = (
    f"{_STRONG}|本部|事業部|研究所|倉庫|オフィス|ショールーム|店舗|教室|"
    "office|branch|factory|plant|store|center|centre|headquarters"
)
_SHORT_UNIT: Final = "店|校|園|部|課|室|係"
_NO_BRANCH: Final = re.compile(
    r"(?:商|書|酒|米|茶|薬|花|肉|魚|飯|売|理|門|茶|貨|販|具|品|服|務|菓子|パン|時計|電器|眼鏡|履物|精肉|鮮魚|"
    r"青果|料理|飲食|喫茶|老)店$"
    r"|学校$|高校$|大学校$|公園$|学園$|幼稚園$|保育園$|農園$|庭園$|楽園$|荘園$|茶園$|果樹園$"
)
_UNIT_TOKEN: Final = re.compile(rf"^(?:.*(?:{_UNIT})|.{{2,}}(?:{_SHORT_UNIT}))$")
_BARE_UNIT: Final = re.compile(rf"^(?:{_UNIT}|{_SHORT_UNIT})$")
_PLACED_UNIT: Final = re.compile(
    rf"^(.{{2,}}?)((?:{_PLACES})[都道府県市区]?(?:東|西|南|北|中央|第[一二三四五1-9])?(?:{_STRONG}|店|校|本部|事業部|倉庫))$"
)
_MORE: Final = re.compile(r"会社|法人|様$|御中$|[店社部所場校園課室係庫]$|センター$|オフィス$")
_HONORIFIC: Final = re.compile(r"(?:\s*(?:様|御中)|\s+(?:殿|各位|さま))$")
_DASH_AS_LONG_VOWEL: Final = re.compile(r"(?<=[ァ-ヺー])[-‐‑‒–—―−](?=[ァ-ヺー]|[\s(（]|$)")
_NOT_CORE: Final = re.compile("[^\\w&+\u0300-\u036f\u3099\u309a]|_")
_PERSON: Final = re.compile(
    r"^(?:[一-龠々髙﨑𠮷ヶ]{1,4}[ \u3000][一-龠々ぁ-ゖァ-ヺー]{1,5}|[ぁ-ゖ]{2,6}[ "
    r"\u3000][ぁ-ゖ]{2,6}|[ァ-ヺー]{2,8}[ \u3000][ァ-ヺー]{2,8})$"
)
_COMPANY_WORD: Final = re.compile(
    r"商店|商会|商事|工業|産業|建設|工務|製作|製造|電機|電気|運輸|運送|物産|興業|不動産|病院|医院|クリニック|"
    r"歯科|薬局|学校|大学|法人|組合|事務所|"
    r"ホテル|旅館|食堂|酒店|書店|サービス|システム|グループ|ホールディングス|センター|スクール|デザイン|"
    r"ジャパン|株|販売|店$|館$|部$|課$"
)


@dataclass(frozen=True, slots=True)
class NormalisedName:
    """A name taken apart."""

    core: str
    """What matching compares; empty when the name holds no letter or digit."""
    display: str
    """The name as given, outer and doubled white space taken out; nothing else is touched."""
    legal_form: str | None
    """`株式会社`, `有限会社`, `Co., Ltd.` … in one spelling; None where there is none."""
    form_position: FormPosition | None
    """Where the legal form stands (前株 / 後株)."""
    branch: str | None
    """大阪支店, 第二工場 …: a branch is never its company's duplicate."""
    is_person_guess: bool
    """Looks like a person's name, as far as a name can tell."""


def fold_for_matching(text: str) -> str:
    """`text` in one width, case and kanji variant, for comparison only; applying it twice changes nothing more."""
    for _ in range(4):
        folded = unicodedata.normalize("NFKC", text).casefold()
        if _VARIANT.search(folded):
            folded = folded.translate(VARIANTS)
        if folded == text or folded.isascii():
            return folded
        text = folded
    return text


def normalise_name(name: str) -> NormalisedName:
    """The parts of a company's or person's name.

    Legal forms are taken off at either end or before a branch (山田㈱大阪支店), never in the middle of a word, and
    never when nothing would be left. Nothing is cut at a comma: "ACME CO., LTD." has the core `acme`, "Tokyo, Osaka
    Trading" keeps both words. A branch without a space before it is found after a legal form or with a known place
    name only; `matching` finds more by comparing with the names of the other customers. The core of a core is itself.
    """
    display = " ".join(name.split())
    text = fold_for_matching(display)
    form: str | None = None
    position: FormPosition | None = None
    branches: list[str] = []
    core = ""
    for _ in range(12):
        found = _take_apart(text)
        form, position = (form, position) if form else (found.form, found.position)
        if found.branch:
            branches.insert(0, found.branch)
        core = fold_for_matching(found.rest)
        # What could still come off a name without spaces and punctuation ends or begins in one of these.
        if core == text or _MORE.search(core) is None:
            break
        text = core
    branch = "".join(branches) or None
    person = form is None and branch is None and _looks_like_person(display)
    return NormalisedName(core, display, form, position, branch, person)


def normalise_names(names: pl.Series) -> pl.DataFrame:
    """One row per name, in order: core, display, legal_form, form_position, branch, is_person_guess.

    Null names give an empty core. Each distinct name is taken apart once.
    """
    distinct = names.cast(pl.String).fill_null("").unique(maintain_order=True)
    parts = [normalise_name(name) for name in distinct]
    table = pl.DataFrame(
        {
            "name": distinct,
            "core": pl.Series([part.core for part in parts], dtype=pl.String),
            "display": pl.Series([part.display for part in parts], dtype=pl.String),
            "legal_form": pl.Series([part.legal_form for part in parts], dtype=pl.String),
            "form_position": pl.Series([part.form_position for part in parts], dtype=pl.String),
            "branch": pl.Series([part.branch for part in parts], dtype=pl.String),
            "is_person_guess": pl.Series([part.is_person_guess for part in parts], dtype=pl.Boolean),
        }
    )
    rows = pl.DataFrame({"name": names.cast(pl.String).fill_null("")})
    return rows.join(table, on="name", how="left", maintain_order="left").drop("name")


def ends_in_branch(core: str) -> bool:
    """Whether a core ends like a branch (支店, 営業所, 工場, 店 …), known place or not; 商店 and 書店 do not."""
    return _UNIT_TOKEN.match(core) is not None and _NO_BRANCH.search(core) is None


@dataclass(frozen=True, slots=True)
class _Parts:
    rest: str
    form: str | None
    position: FormPosition | None
    branch: str | None


def _take_apart(text: str) -> _Parts:
    """One pass over folded text: honorific, legal forms, branch, then punctuation and spaces."""
    text = _DASH_AS_LONG_VOWEL.sub("ー", text).strip()
    text = _without(text, _HONORIFIC.search(text))
    form: str | None = None
    position: FormPosition | None = None
    branch: str | None = None
    inner = INNER_FORM.match(text)
    if inner and _is_unit(squeeze(inner["branch"])) and squeeze(inner["name"]):
        form, position = canonical_form(inner["form"]), "back"
        text, branch = inner["name"], squeeze(inner["branch"])
    for _ in range(6):
        before = text
        if (match := FRONT_FORM.match(text)) and squeeze(text[match.end() :]):
            form, position = (form, position) if form else (canonical_form(match["form"]), "front")
            text = text[match.end() :].strip()
        if (match := ENDING_FORM.search(text)) and squeeze(text[: match.start()]):
            form, position = (
                (form, position) if form else (canonical_form(match["form"] or match["west"] or match["tight"]), "back")
            )
            text = text[: match.start()].strip()
        head, unit = _split_unit(text)
        if unit:
            text, branch = head, unit + (branch or "")
        if text == before:
            break
    return _Parts(squeeze(text), form, position, branch)


def _split_unit(text: str) -> tuple[str, str | None]:
    words = text.split()
    if len(words) > 1 and _is_unit(words[-1]):
        take = 2 if len(words) > 2 and _BARE_UNIT.match(words[-1]) else 1
        head = " ".join(words[:-take])
        if squeeze(head):
            return head, squeeze("".join(words[-take:])) or None
    if (match := _PLACED_UNIT.match(text)) and squeeze(match[1]) and not _NO_BRANCH.search(text):
        return match[1].strip(), squeeze(match[2])
    return text, None


def _is_unit(word: str) -> bool:
    return _UNIT_TOKEN.match(word) is not None and _NO_BRANCH.search(word) is None


def squeeze(text: str) -> str:
    """`text` without white space and punctuation; letters, digits, ー, & and + stay."""
    return _NOT_CORE.sub("", text)


def _without(text: str, match: re.Match[str] | None) -> str:
    if match is None or not squeeze(text[: match.start()]):
        return text
    return text[: match.start()]


def _looks_like_person(display: str) -> bool:
    if display.endswith("様"):
        return True
    return _PERSON.match(display) is not None and _COMPANY_WORD.search(display) is None
