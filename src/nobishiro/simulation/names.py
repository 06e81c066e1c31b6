"""Names of companies, people and places that look Japanese and belong to nobody.

Company names join words that hardly anybody would register together with a line of business; corporate numbers have
a right check digit and an office code never given out; telephone exchanges are all zeros; mail goes to `.example`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.frames import Int64, pick

_FIRST: Final = (
    "霞:カスミ 澄:スミ 灯:アカリ 蒼:アオ 凪:ナギ 碧:ミドリ 楓:カエデ 柊:ヒイラギ 橡:トチ 梓:アズサ "
    "榛:ハシバミ 苔:コケ 雫:シズク 霧:キリ 露:ツユ "
    "鷺:サギ 雁:カリ 鶫:ツグミ 鵯:ヒヨ 鴇:トキ 茜:アカネ 藍:アイ 萌:モエ 錆:サビ 朧:オボロ 宵:ヨイ "
    "暁:アカツキ 曙:アケボノ 黎:レイ 響:ヒビキ "
    "櫂:カイ 帆:ホ 舵:カジ 錨:イカリ 汐:シオ 渚:ナギサ 磯:イソ 潮:ウシオ 瀬:セ 淵:フチ 麓:フモト "
    "峠:トウゲ 岬:ミサキ 杜:モリ 樅:モミ 欅:ケヤキ "
    "椋:ムク 楡:ニレ 朴:ホオ 櫟:クヌギ"
)
_SECOND: Final = (
    "野原:ノハラ 見台:ミダイ 乃木:ノキ 垣内:ガキウチ 名瀬:ナセ 沢台:サワダイ 戸浦:トウラ 森丘:モリオカ "
    "岳:タケ 舟:フネ 塚山:ツカヤマ 根川:ネガワ "
    "乃宮:ノミヤ 羽田原:ハダハラ 津谷:ツヤ 江平:エヒラ 久見:クミ 志賀野:シガノ 里見原:サトミハラ "
    "名越:ナゴシ 牧谷:マキタニ 郷田:ゴウダ 坂井戸:サカイド "
    "手原:テバラ 目黒沢:メグロサワ 輪島田:ワジマダ 間瀬:マセ 代田原:シロタハラ 木立:コダチ 鐘:カネ"
)
_FAMILY: Final = (
    "佐藤:サトウ 鈴木:スズキ 高橋:タカハシ 田中:タナカ 伊藤:イトウ 渡辺:ワタナベ 山本:ヤマモト "
    "中村:ナカムラ 小林:コバヤシ 加藤:カトウ 吉田:ヨシダ "
    "山田:ヤマダ 佐々木:ササキ 山口:ヤマグチ 松本:マツモト 井上:イノウエ 木村:キムラ 林:ハヤシ "
    "斎藤:サイトウ 清水:シミズ 山崎:ヤマザキ 森:モリ "
    "池田:イケダ 橋本:ハシモト 阿部:アベ 石川:イシカワ 山下:ヤマシタ 中島:ナカジマ 石井:イシイ "
    "小川:オガワ 前田:マエダ 岡田:オカダ 長谷川:ハセガワ "
    "藤田:フジタ 後藤:ゴトウ 近藤:コンドウ 村上:ムラカミ 遠藤:エンドウ 青木:アオキ 坂本:サカモト "
    "福田:フクダ 太田:オオタ 西村:ニシムラ 藤井:フジイ "
    "金子:カネコ 岡本:オカモト 藤原:フジワラ 三浦:ミウラ 中野:ナカノ 中川:ナカガワ 原田:ハラダ "
    "松田:マツダ 竹内:タケウチ 小野:オノ 田村:タムラ "
    "中山:ナカヤマ 和田:ワダ 石田:イシダ 森田:モリタ 上田:ウエダ 髙木:タカギ 内田:ウチダ 柴田:シバタ "
    "酒井:サカイ 宮崎:ミヤザキ 横山:ヨコヤマ"
)
_WOMEN: Final = (
    "陽菜:ヒナ 結衣:ユイ 美咲:ミサキ 葵:アオイ 彩花:アヤカ 優子:ユウコ 恵:メグミ 由美:ユミ 直美:ナオミ "
    "真由:マユ 千尋:チヒロ 香織:カオリ 智子:トモコ "
    "明日香:アスカ 莉子:リコ 凛:リン 咲良:サクラ 芽衣:メイ 紬:ツムギ 和葉:カズハ 琴音:コトネ 楓:カエデ "
    "美月:ミヅキ 佳奈:カナ 幸子:サチコ 亜希:アキ"
)
_MEN: Final = (
    "蓮:レン 大翔:ヒロト 陽翔:ハルト 悠真:ユウマ 湊:ミナト 樹:イツキ 健太:ケンタ 大輔:ダイスケ "
    "直樹:ナオキ 誠:マコト 拓也:タクヤ 翔太:ショウタ "
    "和也:カズヤ 隆:タカシ 浩二:コウジ 雄一:ユウイチ 達也:タツヤ 亮:リョウ 修:オサム 康平:コウヘイ "
    "朝陽:アサヒ 颯:ハヤテ 律:リツ 慎吾:シンゴ 学:マナブ"
)
_PLACES: Final = (
    "北海道:001 宮城県:980 茨城県:310 栃木県:320 群馬県:370 埼玉県:330 千葉県:260 東京都:100 神奈川県:220 "
    "新潟県:950 富山県:930 石川県:920 長野県:380 "
    "岐阜県:500 静岡県:420 愛知県:450 三重県:514 滋賀県:520 京都府:600 大阪府:530 兵庫県:650 岡山県:700 "
    "広島県:730 山口県:753 福岡県:810 熊本県:860"
)
_PLACE_WEIGHTS: Final = (3, 3, 4, 3, 4, 7, 5, 13, 8, 3, 2, 2, 4, 4, 6, 12, 4, 3, 4, 10, 7, 3, 4, 2, 5, 2)
_TOWNS: Final = (
    "ひかり野 みどり台 若葉町 つつじ丘 虹ヶ原 朝凪町 夕映町 風見台 さくら野 "
    "星見町 白鷺台 青葉原 こだま町 くすの木台 すみれ野 ことり町 あさぎ台 まほろ町"
)


def _pairs(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    split = [word.split(":") for word in text.split()]
    return tuple(word[0] for word in split), tuple(word[1] for word in split)


FAMILY_NAMES, FAMILY_READINGS = _pairs(_FAMILY)
WOMEN, WOMEN_READINGS = _pairs(_WOMEN)
MEN, MEN_READINGS = _pairs(_MEN)
PREFECTURES, _POSTAL = _pairs(_PLACES)
_FIRSTS, _FIRST_READINGS = _pairs(_FIRST)
_SECONDS, _SECOND_READINGS = _pairs(_SECOND)


def company_names(random: np.random.Generator, trades: pl.DataFrame, trade: Int64) -> pl.DataFrame:
    """(name, name_kana) for each company; `trades` has `word` and `reading`, `trade` says which each takes.

    A name is used once as long as there are names left: 1,500 a trade, before the legal form is put before or after.
    """
    count, stems = trade.size, len(_FIRSTS) * len(_SECONDS)
    place = random.permutation(stems)
    order = np.argsort(trade, kind="stable")
    within = np.empty(count, np.int64)
    starts = np.searchsorted(trade[order], np.arange(trades.height + 1))
    within[order] = np.arange(count) - starts[trade[order]]
    stem = place[(within + 131 * trade) % stems]
    first, second = stem // len(_SECONDS), stem % len(_SECONDS)
    # past the last unused name a branch town tells two companies apart
    more = within // stems
    town = pick(_TOWNS.split(), np.where(more > 0, (more - 1) % len(_TOWNS.split()), -1)).fill_null("")
    form = random.choice(4, count, p=[0.46, 0.34, 0.14, 0.06])
    before = pick(("株式会社", "", "有限会社", ""), form)
    after = pick(("", "株式会社", "", "合同会社"), form)
    parts = pl.DataFrame(
        {
            "a": before,
            "b": pick(_FIRSTS, first),
            "c": pick(_SECONDS, second),
            "d": pick(trades["word"], trade),
            "t": town,
            "e": after,
            "f": pick(_FIRST_READINGS, first),
            "g": pick(_SECOND_READINGS, second),
            "h": pick(trades["reading"], trade),
        }
    )
    return parts.select(
        pl.concat_str("a", "b", "c", "d", "t", "e").alias("name"), pl.concat_str("f", "g", "h").alias("name_kana")
    )


def people_names(random: np.random.Generator, count: int) -> pl.DataFrame:
    """(family_name, given_name, name_kana, woman) of `count` people."""
    family = random.integers(0, len(FAMILY_NAMES), count)
    woman = random.random(count) < 0.5
    return name_people(random, family, woman)


def name_people(random: np.random.Generator, family: Int64, woman: np.ndarray) -> pl.DataFrame:
    """People with given family names, so that parents and children share one."""
    given = np.where(
        woman, random.integers(0, len(WOMEN), family.size), len(WOMEN) + random.integers(0, len(MEN), family.size)
    )
    readings = pl.DataFrame(
        {"a": pick(FAMILY_READINGS, family), "b": pick(WOMEN_READINGS + MEN_READINGS, given)}
    ).select(pl.concat_str("a", pl.lit(" "), "b"))
    return pl.DataFrame(
        {
            "family_name": pick(FAMILY_NAMES, family),
            "given_name": pick(WOMEN + MEN, given),
            "name_kana": readings.to_series(),
            "woman": woman,
        }
    )


def addresses(random: np.random.Generator, count: int) -> pl.DataFrame:
    """(prefecture, postal_code, address, phone): real prefectures, towns and exchanges that do not exist."""
    weights = np.asarray(_PLACE_WEIGHTS, np.float64)
    place = random.choice(len(PREFECTURES), count, p=weights / weights.sum())
    towns = _TOWNS.split()
    columns = pl.DataFrame(
        {
            "prefecture": pick(PREFECTURES, place),
            "zone": pick(_POSTAL, place),
            "post": random.integers(0, 10_000, count),
            "town": pick(towns, random.integers(0, len(towns), count)),
            "block": random.integers(1, 9, count),
            "lot": random.integers(1, 30, count),
            "house": random.integers(1, 25, count),
            "line": random.integers(0, 10_000, count),
        }
    )
    return columns.select(
        "prefecture",
        pl.concat_str("zone", pl.col("post").cast(pl.String).str.zfill(4)).alias("postal_code"),
        pl.format("{}{}-{}-{}", "town", "block", "lot", "house").alias("address"),
        pl.format("0{}0-0000-{}", "block", pl.col("line").cast(pl.String).str.zfill(4)).alias("phone"),
    )


def corporate_numbers(numbers: Int64) -> pl.Series:
    """Corporate numbers with a right check digit from numbers below 10**10; no office has the code 99 they begin with.

    The check digit is 9 − (Σ digit × 1, 2, 1, 2 … from the right) mod 9, the National Tax Agency's rule.
    """
    body = np.asarray(numbers, np.int64) + 99 * 10**10
    total, rest = np.zeros(body.size, np.int64), body.copy()
    for place in range(12):
        total += (rest % 10) * (1 + place % 2)
        rest //= 10
    return pl.Series((9 - total % 9) * 10**12 + body).cast(pl.String)
