"""What みらい学びグループ sells: courses by school year, seasonal courses, materials, plans and design work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nobishiro.simulation.catalogue import Article, Catalogue
from nobishiro.simulation.frames import Float64, Int64
from nobishiro.simulation.orders import Complement

DIVISIONS: Final = (
    ("G10", "めばえ教室", True),
    ("G20", "のぼり塾", True),
    ("G30", "みやこ予備校", False),
    ("G40", "医志コース", False),
    ("G50", "まなびクラウド", False),
    ("G60", "まなびデザイン", False),
)
STAGES: Final = ("G10", "G20", "G30", "G40")
FIRST_GRADE, LAST_GRADE = -2, 13
"""School years: −2 年少 to 0 年長, 1–6 小学, 7–9 中学, 10–12 高校, 13 the year after."""
GRADES_JA: Final = (
    "年少 年中 年長 小1 小2 小3 小4 小5 小6 中1 中2 中3 高1 高2 高3 高卒".split()  # noqa: SIM905 - a list of words
)
MAIN: Final = {
    -2: "ME-3", -1: "ME-4", 0: "ME-5", 1: "NO-L", 2: "NO-L", 3: "NO-L", 4: "NO-U", 5: "NO-U", 6: "NO-U", 7: "NO-M",
    8: "NO-M", 9: "NO-X", 10: "MI-1", 11: "MI-2", 12: "MI-3", 13: "MI-R",
}  # fmt: skip
"""The main course of each school year; who is on the way to medicine takes IS-* from the second year of high school."""
MEDICINE: Final = {11: "IS-2", 12: "IS-3", 13: "IS-R"}
EXTRAS: Final = ("英語教室", "プログラミング", "そろばん", "読書クラブ")
PLANS: Final = ("CL-S", "CL-T", "CL-P")

_GOODS: Final = """
めばえ教室 G10 course
  ME-3|めばえ 年少コース(月)|9800|4900||
  ME-4|めばえ 年中コース(月)|10800|5200||ME-3
  ME-5|めばえ 年長コース(月)|11800|5500||ME-4
のぼり塾 G20 course
  NO-L|のぼり塾 小学低学年(月)|13800|6400||ME-5
  NO-U|のぼり塾 小学高学年(月)|18800|8500||NO-L
  NO-M|のぼり塾 中学コース(月)|24800|11000||NO-U
  NO-X|のぼり塾 高校受験コース(月)|29800|13000||NO-M
みやこ予備校 G30 course
  MI-1|みやこ予備校 高1(月)|27800|12500||NO-X
  MI-2|みやこ予備校 高2(月)|31800|14000||MI-1
  MI-3|みやこ予備校 高3(月)|38800|17000||MI-2
  MI-R|みやこ予備校 本科(月)|68000|31000||MI-3
医志コース G40 course
  IS-2|医志コース 高2(月)|68000|27000||MI-2
  IS-3|医志コース 高3(月)|88000|34000||MI-3
  IS-R|医志コース 本科(月)|148000|58000||MI-R
英語教室 G10 course
  EN-1|こども英語(月)|7800|3400||
プログラミング G20 course
  PR-1|プログラミング(月)|9800|4100||
そろばん G20 course
  SR-1|そろばん(月)|5800|2500||
読書クラブ G10 course
  RD-1|読書クラブ(月)|3800|1600||
季節講習 G20 course
  SS-1|夏期講習|38000|16000||
  SW-1|冬期講習|28000|12000||
  SP-1|春期講習|24000|10000||
  PV-N|のぼり塾 入学準備講座|12000|5200||
  PV-M|みやこ予備校 高校準備講座|15000|6400||
  PV-I|医志コース 体験講座|20000|8000||
教材 G20 goods
  MT-S|夏期テキスト|3200|1300||
  MT-W|冬期テキスト|2800|1100||
  MT-P|プリント教材セット|1980|700||
  MT-B|絵本セット|2480|1300||
  MT-N|学習ノート 10冊|1200|520||
  MT-D|漢字ドリル|780|320||
模試 G30 service
  EX-N|全国統一模試(架空)|5500|2600||
  EX-I|医学部模試(架空)|8800|3900||
  EX-K|模試 解説講座|4800|1800||
文具 G20 goods
  ST-E|消しゴム 3個|330|150||
  ST-P|鉛筆 1ダース|660|310||
  ST-F|クリアファイル 5枚|440|190||
  ST-T|タイマー|1480|720||
  ST-B|通塾バッグ|2980|1500||
  ST-L|名前シール|880|360||
まなびクラウド G50 plan
  CL-S|まなびクラウド Starter(月)|9800|2000|Starter|
  CL-T|まなびクラウド Std(月)|29800|5200|Std|CL-S
  CL-P|まなびクラウド Pro(月)|79800|12800|Pro|CL-T
  CY-S|まなびクラウド Starter(年)|98000|20000|Starter|
  CY-T|まなびクラウド Std(年)|298000|52000|Std|CY-S
  CY-P|まなびクラウド Pro(年)|798000|128000|Pro|CY-T
クラウド追加 G50 service
  AD-S|席の追加 10席(月)|5000|900||
  AD-V|動画保存 100GB(月)|4800|1500||
  AD-H|導入支援|120000|56000||
  AD-C|運用コンサルティング|200000|90000||
まなびデザイン G60 service
  DS-W|ウェブサイト制作|880000|470000||
  DS-P|パンフレット制作|320000|160000||
  DS-M|紹介動画制作|560000|290000||
  DS-L|ロゴ制作|180000|80000||
手数料 G20 fee
  FE-J|入会金|10000|0||
"""
RENEWED: Final = {"MT-P": 48.0, "MT-N": 65.0, "MT-B": 75.0, "MT-D": 55.0}
_COMPLEMENTS: Final = (
    ("SS-1", "MT-S", 0.72), ("SW-1", "MT-W", 0.66), ("EX-N", "EX-K", 0.34), ("EX-I", "EX-K", 0.46),
    ("AD-H", "AD-C", 0.25), ("DS-W", "DS-L", 0.35), ("CY-P", "AD-H", 0.40), ("PV-N", "ST-B", 0.38),
)  # fmt: skip
SUBSTITUTES: Final = (("DS-P", "DS-M"),)
_BY_CHANCE: Final = (("ST-E", 0.030), ("ST-P", 0.026), ("ST-F", 0.024), ("ST-T", 0.014), ("ST-L", 0.018))
SEASONS: Final = {
    "模試": (0.5, 0.6, 0.4, 0.7, 1.0, 1.2, 0.9, 1.3, 1.4, 1.6, 1.6, 0.8),
    "まなびデザイン": (1.4, 1.8, 1.5, 0.5, 0.6, 0.8, 0.8, 0.6, 1.0, 1.1, 1.0, 0.9),
}


@dataclass(frozen=True, slots=True)
class Range:
    """The catalogue and what is planted in it, by position."""

    catalogue: Catalogue
    complements: tuple[Complement, ...]
    by_chance: Int64
    chance_rates: Float64
    renewed: Int64
    cycle: Float64
    main: Int64
    """(school years,) the main course of each, from FIRST_GRADE on."""
    medicine: Int64
    """(school years,) the course towards medicine, −1 where there is none."""


def schools_range() -> Range:
    """The range and what is planted in it."""
    articles: list[Article] = []
    family = division = kind = ""
    for line in _GOODS.strip().splitlines():
        if not line.startswith(" "):
            family, division, kind = line.split()
            continue
        code, name, price, cost, grade, lower = line.strip().split("|")
        home = {"ME": "G10", "NO": "G20", "MI": "G30", "IS": "G40"}.get(code[:2], division)
        articles.append(Article(code, name, family, int(price), int(cost), home, grade or None, kind, lower or None))
    catalogue = Catalogue(tuple(articles))
    years = range(FIRST_GRADE, LAST_GRADE + 1)
    return Range(
        catalogue,
        tuple(Complement(catalogue.at(a), catalogue.at(b), rate) for a, b, rate in _COMPLEMENTS),
        catalogue.places([code for code, _ in _BY_CHANCE]),
        np.array([rate for _, rate in _BY_CHANCE]),
        catalogue.places(tuple(RENEWED)),
        np.array(list(RENEWED.values())),
        catalogue.places([MAIN[year] for year in years]),
        np.array([catalogue.at(MEDICINE[year]) if year in MEDICINE else -1 for year in years]),
    )
