"""What ひより市場 sells: suits and what goes with them, a café, groceries, the household, and what lies at the till."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nobishiro.simulation.catalogue import Article, Catalogue
from nobishiro.simulation.frames import Float64, Int64
from nobishiro.simulation.orders import Complement

WEB, MAIN, STATION, EAST, DELIVERY = range(5)
DIVISIONS: Final = (
    ("S00", "ひより市場オンライン", False),
    ("S10", "本店", True),
    ("S20", "駅前店", True),
    ("S30", "東店", True),
    ("S40", "宅配", False),
)
CHANNELS: Final = ("web", "shop", "shop", "shop", "delivery")
"""`order_lines.channel` of each division."""

_GOODS: Final = """
スーツ
  SU-R1|ビジネススーツ レギュラー 紺|29000|14200|レギュラー|
  SU-R2|ビジネススーツ レギュラー 灰|29000|14200|レギュラー|
  SU-P1|ビジネススーツ プレミアム 紺|49000|21500|プレミアム|SU-R1
  SU-P2|ビジネススーツ プレミアム 灰|49000|21500|プレミアム|SU-R2
  SU-O1|パターンオーダースーツ 紺|79000|33000|オーダー|SU-P1
  SU-O2|パターンオーダースーツ 灰|79000|33000|オーダー|SU-P2
ネクタイ
  TI-1|シルクネクタイ 小紋|4900|1700||
  TI-2|シルクネクタイ ストライプ|4900|1700||
  TI-3|ニットタイ|3900|1400||
シャツ
  SH-W|形態安定シャツ 白|3900|1600||
  SH-B|形態安定シャツ 青|3900|1600||
  SH-S|ストライプシャツ|4500|1800||
革靴
  BO-S|ストレートチップ 黒|12800|6100||
  BO-L|ローファー 茶|11800|5600||
  BO-C|靴クリームセット|1800|700||
革小物
  BE-1|レザーベルト 黒|4500|1900||
  BE-2|レザーベルト 茶|4500|1900||
  BA-1|ビジネスバッグ|14800|7000||
カフェドリンク
  CF-R|ブレンドコーヒー レギュラー|380|90|レギュラー|
  CF-L|ブレンドコーヒー ラージ|580|120|ラージ|CF-R
  CL-R|カフェラテ レギュラー|450|130|レギュラー|
  CL-L|カフェラテ ラージ|650|170|ラージ|CL-R
  TE-R|紅茶|380|70||
  JU-O|しぼりたてオレンジ|520|210||
カフェフード
  CK-C|チーズケーキ|480|170||
  CK-G|ガトーショコラ|480|170||
  CK-S|スコーン|320|100||
  SW-H|ハムサンド|580|220||
  SW-E|たまごサンド|520|190||
米
  RI-5|ひより米 5kg|2480|1950||
  RI-10|ひより米 10kg|4780|3800||
パン
  BR-T|食パン 6枚|198|110||
  BR-F|バゲット|260|120||
  BR-A|あんぱん|148|70||
  BR-C|クロワッサン|180|80||
乳製品
  MI-N|牛乳 1L|238|180||
  MI-L|低脂肪牛乳 1L|218|160||
  YO-P|プレーンヨーグルト|178|120||
  CH-S|スライスチーズ|298|190||
  BU-1|バター|448|330||
卵
  EG-10|たまご 10個|248|190||
  EG-6|平飼いたまご 6個|328|220||
野菜
  VE-O|たまねぎ 3個|178|110||
  VE-C|キャベツ|198|130||
  VE-T|トマト 4個|298|200||
  VE-P|じゃがいも 袋|248|150||
  VE-L|レタス|178|110||
果物
  FR-B|バナナ|198|130||
  FR-A|りんご 3個|398|260||
  FR-M|みかん 袋|498|320||
精肉
  ME-P|豚こま 300g|498|350||
  ME-C|鶏もも 300g|398|280||
  ME-B|国産牛切落し 200g|898|680||
  ME-M|合いびき 300g|458|320||
鮮魚
  FI-S|サーモン刺身|598|420||
  FI-M|さば切身 2切|398|260||
麺類
  PA-1|スパゲッティ 500g|258|150||
  PA-S|トマトソース 瓶|358|210||
  PA-G|ジェノベーゼ 瓶|428|250||
  UD-3|冷凍うどん 5食|298|190||
調味料
  SO-1|丸大豆しょうゆ|398|250||
  MS-1|合わせみそ|378|230||
  OL-1|オリーブオイル|898|600||
  CU-1|カレールウ|258|160||
飲料
  WA-6|天然水 2L×6|598|420||
  TE-6|緑茶 2L×6|898|640||
  BE-6|クラフトビール 6本|1980|1500||
  WI-R|テーブルワイン 赤|1280|820||
菓子
  SN-C|チョコレート|198|120||
  SN-R|おせんべい|258|160||
  SN-P|ポテトチップス|138|85||
  SN-I|アイスクリーム 6個|498|330||
豆とコーヒー豆
  CB-M|コーヒー豆 中煎り 200g|1080|560||
  CB-D|コーヒー豆 深煎り 200g|1080|560||
  CB-F|コーヒーフィルター 100枚|298|130||
日用品
  DE-1|洗濯洗剤 詰替|428|280||
  TP-12|トイレットペーパー 12巻|598|430||
  TI-5|ティッシュ 5箱|398|280||
  SM-1|シャンプー 詰替|698|420||
  CO-1|コンディショナー 詰替|698|420||
  TO-1|歯みがき|298|160||
ペット
  PF-D|ドッグフード 3kg|2980|2050||
  PF-C|キャットフード 2kg|2280|1560||
  PF-S|ペットシーツ|1280|850||
園芸
  GA-S|草花の苗|198|90||
  GA-E|培養土 14L|698|380||
  GA-P|素焼き鉢|498|230||
ギフト
  GI-S|夏の贈り物 そうめん|3980|2300||
  GI-J|夏の贈り物 ゼリー|3480|1900||
  GI-H|冬の贈り物 ハム|4980|3100||
  GI-K|冬の贈り物 海の幸|5480|3500||
レジ横
  CA-G|ミントガム|128|70||
  CA-B|単3電池 4本|398|220||
  CA-L|リップクリーム|298|150||
  CA-H|ハンドクリーム ミニ|398|190||
  CA-W|ウェットティッシュ|158|80||
  CA-U|折りたたみ傘|1480|700||
  CA-K|のど飴|168|95||
  CA-Z|エコバッグ|498|210||
"""
POSTAGE: Final = "FEE-S"
POSTAGE_YEN: Final = 550
FREE_FROM: Final = 5_500

LADDERS: Final = (
    (("SU-R1", "SU-P1", "SU-O1"), ("SU-R2", "SU-P2", "SU-O2")),
    (("CF-R", "CF-L"), ("CL-R", "CL-L")),
)
RENEWED: Final = {
    "RI-5": 34.0, "CB-M": 24.0, "DE-1": 42.0, "TP-12": 38.0, "SM-1": 56.0, "PF-D": 31.0, "PF-C": 29.0, "WA-6": 21.0,
}  # fmt: skip
_COMPLEMENTS: Final = (
    ("SU-R1", "TI-1", 0.34), ("SU-R2", "TI-2", 0.31), ("SU-P1", "TI-1", 0.42), ("SU-P2", "BE-1", 0.36),
    ("SU-O1", "BO-S", 0.38), ("SU-R1", "SH-W", 0.45), ("SU-P1", "SH-B", 0.40), ("BO-S", "BO-C", 0.47),
    ("CF-R", "CK-C", 0.22), ("CF-L", "CK-G", 0.26), ("CL-R", "CK-S", 0.24), ("CL-L", "SW-H", 0.20),
    ("PA-1", "PA-S", 0.41), ("CB-M", "CB-F", 0.18), ("SM-1", "CO-1", 0.52), ("CU-1", "VE-P", 0.38),
    ("PF-D", "PF-S", 0.35), ("GA-S", "GA-E", 0.33), ("BR-T", "BU-1", 0.21), ("WI-R", "CH-S", 0.30),
)  # fmt: skip
SUBSTITUTES: Final = (("MI-N", "MI-L"), ("EG-10", "EG-6"), ("TE-R", "JU-O"), ("SO-1", "MS-1"))
_BY_CHANCE: Final = (
    ("CA-G", 0.030), ("CA-B", 0.018), ("CA-L", 0.020), ("CA-H", 0.015),
    ("CA-W", 0.028), ("CA-U", 0.012), ("CA-K", 0.024), ("CA-Z", 0.016),
)  # fmt: skip
SEASONS: Final = {
    "ギフト": (0.3, 0.2, 0.4, 0.3, 0.5, 1.6, 2.4, 0.8, 0.3, 0.4, 1.6, 3.2),
    "園芸": (0.2, 0.4, 1.3, 2.3, 2.2, 1.3, 0.8, 0.6, 0.9, 1.1, 0.6, 0.3),
    "スーツ": (0.9, 1.2, 2.1, 1.5, 0.6, 0.6, 0.7, 0.6, 0.9, 1.0, 1.0, 0.9),
    "飲料": (0.7, 0.7, 0.8, 0.9, 1.1, 1.3, 1.6, 1.6, 1.2, 0.8, 0.7, 0.9),
    "果物": (1.4, 1.2, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.9, 1.1, 1.3, 1.5),
}
TYPES: Final = ("食品", "カフェ", "服飾", "宅配", "暮らし")
_POPULAR: Final = {
    # family: how often each type of customer picks it
    "スーツ": (0.1, 0.1, 3.0, 0.1, 0.1), "ネクタイ": (0.1, 0.1, 1.4, 0.0, 0.1), "シャツ": (0.2, 0.2, 3.0, 0.1, 0.2),
    "革靴": (0.1, 0.1, 1.4, 0.0, 0.1), "革小物": (0.1, 0.1, 1.2, 0.0, 0.1), "カフェドリンク": (0.9, 9.0, 1.6, 0.0, 0.9),
    "カフェフード": (0.4, 4.0, 0.6, 0.0, 0.4), "米": (0.5, 0.1, 0.1, 0.6, 0.3), "パン": (3.0, 1.6, 0.5, 2.2, 1.2),
    "乳製品": (3.0, 0.6, 0.3, 3.4, 1.2), "卵": (1.8, 0.2, 0.1, 2.4, 0.7), "野菜": (4.5, 0.5, 0.3, 4.2, 1.3),
    "果物": (2.4, 0.5, 0.3, 2.0, 0.9), "精肉": (3.2, 0.3, 0.2, 3.0, 0.9), "鮮魚": (1.6, 0.2, 0.2, 1.3, 0.5),
    "麺類": (1.8, 0.2, 0.2, 1.7, 0.7), "調味料": (1.5, 0.2, 0.2, 1.3, 0.7), "飲料": (1.8, 0.5, 0.5, 1.6, 1.2),
    "菓子": (2.4, 1.0, 0.6, 1.1, 1.2), "豆とコーヒー豆": (0.4, 1.2, 0.2, 0.2, 0.4), "日用品": (1.6, 0.3, 0.4, 0.9, 3.2),
    "ペット": (0.4, 0.1, 0.1, 0.2, 1.7), "園芸": (0.4, 0.1, 0.1, 0.1, 2.1), "ギフト": (0.4, 0.2, 0.6, 0.2, 1.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Range:
    """The catalogue and what is planted in it, by position."""

    catalogue: Catalogue
    complements: tuple[Complement, ...]
    substitutes: Int64
    """(S, 2) products bought in place of each other."""
    by_chance: Int64
    chance_rates: Float64
    renewed: Int64
    cycle: Float64
    ladders: tuple[Int64, ...]
    """(rows, grades) each."""
    chosen: Float64
    """(types, P) how likely each type of customer picks a product by itself; 0 for what comes otherwise."""


def shop_range() -> Range:
    """The range and what is planted in it."""
    articles: list[Article] = []
    family = ""
    for line in _GOODS.strip().splitlines():
        if not line.startswith(" "):
            family = line.strip()
            continue
        code, name, price, cost, grade, lower = line.strip().split("|")
        articles.append(
            Article(code, name, family, int(price), int(cost), "S10", grade or None, "goods", lower or None)
        )
    articles.append(Article(POSTAGE, "送料", "送料", POSTAGE_YEN, 480, "S00", kind="postage"))
    catalogue = Catalogue(tuple(articles))
    renewed = catalogue.places(tuple(RENEWED))
    by_chance = catalogue.places([code for code, _ in _BY_CHANCE])
    chosen = np.zeros((len(TYPES), len(articles)))
    for at, article in enumerate(articles):
        if article.family in _POPULAR and at not in renewed:
            chosen[:, at] = _POPULAR[article.family]
    # a product of a ladder stands for all its grades: the customer's own grade replaces it
    ladders = tuple(np.array([catalogue.places(row) for row in ladder]) for ladder in LADDERS)
    for ladder in ladders:
        chosen[:, ladder[:, 1:].ravel()] = 0.0
    size = np.bincount(catalogue.family, weights=chosen[0] > 0, minlength=len(catalogue.families))
    chosen /= np.maximum(size, 1.0)[catalogue.family]
    chosen /= chosen.sum(axis=1, keepdims=True)
    return Range(
        catalogue,
        tuple(Complement(catalogue.at(a), catalogue.at(b), rate) for a, b, rate in _COMPLEMENTS),
        np.array([catalogue.places(pair) for pair in SUBSTITUTES]),
        by_chance,
        np.array([rate for _, rate in _BY_CHANCE]),
        renewed,
        np.array(list(RENEWED.values())),
        ladders,
        chosen,
    )
