"""What のびしろ計器 sells: four divisions, nineteen families, grades, and what goes with what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from nobishiro.simulation.catalogue import Article, Catalogue
from nobishiro.simulation.frames import Float64, Int64
from nobishiro.simulation.orders import Complement

SENSORS, VISION, GAUGING, SERVICE = "D10", "D20", "D30", "D40"
DIVISIONS: Final = (
    (SENSORS, "汎用センサ", True),
    (VISION, "画像検査", False),
    (GAUGING, "計測", False),
    (SERVICE, "保守", False),
)

_GOODS: Final = """
光電センサ D10
  E100-N|光電センサ E100 NPN|8000|4600|E100|
  E100-P|光電センサ E100 PNP|8200|4700|E100|
  E100-R|光電センサ E100 回帰反射|9400|5300|E100|
  E300-N|光電センサ E300 NPN|14000|7400|E300|E100-N
  E300-P|光電センサ E300 PNP|14300|7500|E300|E100-P
  E300-R|光電センサ E300 回帰反射|16000|8300|E300|E100-R
  E500-N|光電センサ E500 NPN|24000|11300|E500|E300-N
  E500-P|光電センサ E500 PNP|24500|11500|E500|E300-P
  E500-R|光電センサ E500 回帰反射|27500|12900|E500|E300-R
近接センサ D10
  P10-M8|近接センサ P10 M8|5200|3100|P10|
  P10-M12|近接センサ P10 M12|5600|3300|P10|
  P20-M12|近接センサ P20 M12 長距離|9800|5200|P20|P10-M12
  P20-M18|近接センサ P20 M18 長距離|11200|5900|P20|
  P30-T|近接センサ P30 耐スパッタ|14800|7600|P30|P20-M18
変位センサ D10
  L50-A|変位センサ L50 標準|68000|34000|L50|
  L50-W|変位センサ L50 広域|74000|37000|L50|
  L80-A|変位センサ L80 高精度|128000|61000|L80|L50-A
  L80-W|変位センサ L80 高精度広域|138000|66000|L80|L50-W
圧力センサ D10
  S10-G|圧力センサ S10 ゲージ圧|12500|6900||
  S10-V|圧力センサ S10 負圧|12500|6900||
  S20-D|圧力センサ S20 差圧|21800|11400||
安全機器 D10
  G10-20|セーフティライトカーテン G10 20光軸|86000|45000|G10|
  G10-40|セーフティライトカーテン G10 40光軸|132000|68000|G10|
  G20-S|セーフティレーザスキャナ G20|268000|131000|G20|G10-40
  GD-1|安全ドアスイッチ GD-1|16800|9200||
センサケーブル D10
  CB-M8-2|センサケーブル M8 2m|1400|700||
  CB-M8-5|センサケーブル M8 5m|1900|950||
  CB-M12-2|センサケーブル M12 2m|1600|800||
  CB-M12-5|センサケーブル M12 5m|2200|1080||
  CB-ROB|ロボット用ケーブル 5m|4800|2300||
取付部品 D10
  BK-E1|光電センサ取付金具 E1|900|420||
  BK-E2|光電センサ取付金具 E2 角度調整|1500|690||
  BK-P1|近接センサ取付金具 P1|650|300||
  RF-50|反射板 RF-50|1200|520||
  RF-80|反射板 RF-80 防曇|1900|830||
  AP-3|アンプ中継ユニット AP-3|18000|9300||
制御部品 D10
  PS-24|直流電源 24V 5A|9800|5600||
  PS-24H|直流電源 24V 10A|14800|8300||
  RY-4|リレーターミナル 4点|4200|2300||
  RY-8|リレーターミナル 8点|7600|4100||
  HB-IO|IOハブ 8ポート|32000|16800||
画像検査 D20
  V-LITE|画像検査 V-Lite|380000|209000|V-Lite|
  V-STD|画像検査 V-Std|780000|362000|V-Std|V-LITE
  V-PRO|画像検査 V-Pro|1480000|655000|V-Pro|V-STD
検査用照明 D20
  LT-R70|検査用リング照明 R70|42000|21500||
  LT-R90|検査用リング照明 R90|48000|24300||
  LT-B150|検査用バー照明 B150|39000|19800||
  LT-D100|検査用ドーム照明 D100|88000|43000||
  LT-C50|検査用同軸照明 C50|76000|37800||
検査用レンズ D20
  LN-16|検査用レンズ 16mm|34000|18200||
  LN-25|検査用レンズ 25mm|36000|19100||
  LN-35|検査用レンズ 35mm|39000|20500||
  LN-T1|テレセントリックレンズ T1|142000|72000||
画像周辺機器 D20
  VC-5|カメラケーブル 5m|9800|4700||
  VC-10|カメラケーブル 10m|14200|6700||
  VM-10|画像検査モニタ 10型|58000|33000||
  VB-1|カメラ治具 VB-1|24000|11800||
コードリーダ D20
  CR-100|コードリーダ CR-100|98000|51000|CR-100|
  CR-300|コードリーダ CR-300|168000|83000|CR-300|CR-100
  CR-H|ハンディリーダ CR-H|74000|40000||
寸法測定 D30
  M30-S|寸法測定器 M30|620000|318000|M30|
  M50-S|寸法測定器 M50|1180000|574000|M50|M30-S
  MH-20|ハンドゲージ MH-20|86000|44000||
データロガー D30
  DL-8|データロガー DL-8|148000|78000|DL-8|
  DL-16|データロガー DL-16|238000|119000|DL-16|DL-8
  DL-U|温度ユニット DL-U|46000|23000||
流量計測 D30
  FL-15|流量センサ FL-15|54000|28000||
  FL-25|流量センサ FL-25|61000|31500||
  FL-40|流量センサ FL-40|78000|39500||
計測消耗品 D30
  MT-STY|測定子セット|12800|5400||
  MT-REF|校正用基準ゲージ|28000|13000||
  MT-PAP|記録紙 10巻|4200|2100||
  MT-CLN|測定面クリーニング液|3600|1500||
交換フィルタ D40
  FT-10|交換フィルタ FT-10|2800|1200||
  FT-20|交換フィルタ FT-20|3600|1500||
  FT-30|高効率フィルタ FT-30|6800|2900||
  FT-KIT|フィルタ保守キット|9800|4300||
交換部品 D40
  SP-LED|照明用LEDモジュール|16800|7600||
  SP-FAN|冷却ファン|5400|2500||
  SP-WIN|保護ウインドウ 5枚|6200|2600||
  SP-BAT|バックアップ電池|2400|1000||
  SP-PAC|パッキンセット|1800|760||
ついで品 D10
  AD-TIE|結束バンド 500本|1200|620||
  AD-CLO|クリーニングクロス 100枚|1600|820||
  AD-TAG|識別タグ 50枚|900|430||
  AD-SCR|取付ねじセット|780|360||
  AD-TER|圧着端子セット|1350|690||
  AD-LAB|配線ラベル|640|300||
  AD-SPR|接点クリーナー|1480|760||
  AD-GLO|静電気防止手袋|980|510||
"""
_SERVICES: Final = """
保守契約 D40
  MB-1|保守 Basic|180000|72000|Basic|
  MP-1|保守 Plus|360000|133000|Plus|MB-1
点検校正 D40
  CL-S|校正サービス センサ|28000|14500||
  CL-M|校正サービス 寸法測定器|86000|42000||
  IN-V|画像検査 定期点検|64000|31000||
研修 D40
  TR-1|センサ基礎研修 1日|48000|21000||
  TR-2|画像検査 設定研修 1日|68000|29000||
"""

LADDERS: Final = (
    (("E100-N", "E300-N", "E500-N"), ("E100-P", "E300-P", "E500-P"), ("E100-R", "E300-R", "E500-R")),
    (("P10-M12", "P20-M12"),),
    (("L50-A", "L80-A"), ("L50-W", "L80-W")),
    (("V-LITE", "V-STD", "V-PRO"),),
    (("CR-100", "CR-300"),),
    (("M30-S", "M50-S"),),
    (("DL-8", "DL-16"),),
    (("MB-1", "MP-1"),),
)
"""Families with grades: each ladder a set of rows of the same need, each row its grades from the lowest."""

RENEWED: Final = {
    "FT-10": 45.0, "FT-20": 60.0, "FT-30": 75.0, "SP-WIN": 70.0, "SP-PAC": 90.0, "SP-LED": 150.0,
    "MT-STY": 80.0, "MT-PAP": 40.0, "MT-CLN": 55.0, "SP-FAN": 180.0, "SP-BAT": 120.0, "FT-KIT": 165.0,
}  # fmt: skip
"""Consumables and the days after which a typical customer needs them again."""

_COMPLEMENTS: Final = (
    ("E100-N", "BK-E1", 0.42, True), ("E300-N", "BK-E2", 0.38, True), ("E500-N", "BK-E2", 0.40, True),
    ("E100-R", "RF-50", 0.62, True), ("E300-R", "RF-50", 0.50, True), ("E500-R", "RF-80", 0.58, True),
    ("E300-P", "CB-M12-2", 0.33, True), ("P20-M12", "BK-P1", 0.45, True), ("P10-M8", "CB-M8-2", 0.40, True),
    ("L80-A", "AP-3", 0.35, False), ("G10-20", "GD-1", 0.44, False), ("G20-S", "PS-24H", 0.36, False),
    ("V-LITE", "LT-B150", 0.55, False), ("V-STD", "LT-R90", 0.66, False), ("V-PRO", "LT-D100", 0.60, False),
    ("V-STD", "LN-25", 0.52, False), ("V-PRO", "LN-T1", 0.40, False), ("V-STD", "TR-2", 0.30, False),
    ("CR-300", "HB-IO", 0.34, False), ("M50-S", "MT-REF", 0.48, False), ("DL-16", "DL-U", 0.57, False),
)  # fmt: skip
_SUBSTITUTES: Final = (("CB-M8-5", "CB-M12-5"), ("S10-G", "S10-V"), ("LT-R70", "LT-C50"), ("FL-15", "FL-25"))
_BY_CHANCE: Final = (
    ("AD-TIE", 0.090), ("AD-CLO", 0.110), ("AD-TAG", 0.080), ("AD-SCR", 0.100),
    ("AD-TER", 0.085), ("AD-LAB", 0.110), ("AD-SPR", 0.095), ("AD-GLO", 0.075),
)  # fmt: skip

TAKERS: Final = 0.14
"""Share of the customers who take each of the things that stand together by chance."""

SEASONS: Final = {
    "画像検査": (0.8, 1.0, 2.2, 0.7, 0.6, 0.9, 0.9, 0.8, 1.5, 0.9, 0.8, 0.9),
    "寸法測定": (0.8, 1.0, 2.4, 0.7, 0.6, 0.9, 0.8, 0.7, 1.5, 0.9, 0.8, 0.9),
    "安全機器": (0.9, 1.1, 1.9, 0.8, 0.7, 0.9, 0.9, 0.8, 1.3, 0.9, 0.9, 0.9),
    "流量計測": (0.6, 0.7, 0.8, 1.0, 1.4, 1.7, 1.6, 1.2, 0.9, 0.7, 0.7, 0.7),
    "研修": (0.5, 0.6, 0.7, 2.4, 1.9, 1.2, 0.9, 0.6, 0.9, 1.0, 0.8, 0.5),
}
"""Families with a season: factors of January to December. Budgets end in March and half-years in September."""


@dataclass(frozen=True, slots=True)
class Range:
    """The catalogue and what is planted in it, by position."""

    catalogue: Catalogue
    complements: tuple[Complement, ...]
    substitutes: tuple[tuple[int, int], ...]
    by_chance: Int64
    chance_rates: Float64
    renewed: Int64
    """Products bought again after a cycle."""
    cycle: Float64
    """Typical days of each."""
    choices: tuple[Int64, ...]
    """For each family: the products one occasion chooses among, one of them. None for a family of consumables."""


def maker_range(as_of: date) -> Range:
    """The range as it stands before `as_of`: the next V-Std comes out on the first October after it."""
    following = date(as_of.year + (as_of >= date(as_of.year, 10, 1)), 10, 1)
    articles = [*_read(_GOODS, "goods"), *_read(_SERVICES, "service")]
    at = 1 + [a.code for a in articles].index("V-STD")
    articles.insert(
        at,
        Article(
            "V-STD2",
            "画像検査 V-Std II(次期モデル)",
            "画像検査",
            820000,
            351000,
            VISION,
            "V-Std",
            "goods",
            "V-LITE",
            following,
        ),
    )
    catalogue = Catalogue(tuple(articles))
    renewed = catalogue.places(tuple(RENEWED))
    by_chance = catalogue.places([code for code, _ in _BY_CHANCE])
    apart = {*renewed.tolist(), *by_chance.tolist(), catalogue.at("V-STD2")}
    # the alternatives of one need: goods that only ever come along with others are not chosen by themselves
    choices = tuple(
        np.array([p for p in np.flatnonzero(catalogue.family == family) if p not in apart], np.int64)
        for family in range(len(catalogue.families))
    )
    return Range(
        catalogue,
        tuple(Complement(catalogue.at(a), catalogue.at(b), rate, each) for a, b, rate, each in _COMPLEMENTS),
        tuple((catalogue.at(a), catalogue.at(b)) for a, b in _SUBSTITUTES),
        by_chance,
        np.array([rate for _, rate in _BY_CHANCE]),
        renewed,
        np.array(list(RENEWED.values())),
        choices,
    )


def _read(text: str, kind: str) -> list[Article]:
    articles: list[Article] = []
    family = division = ""
    for line in text.strip().splitlines():
        if not line.startswith(" "):
            family, division = line.split()
            continue
        code, name, price, cost, grade, lower = line.strip().split("|")
        articles.append(
            Article(code, name, family, int(price), int(cost), division, grade or None, kind, lower or None)
        )
    return articles
