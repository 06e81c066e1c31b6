"""Who the customers of のびしろ計器 are: industry, what they spend in all, what of it here, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from nobishiro.simulation.calendar import Span
from nobishiro.simulation.exploring import NEVER, opening_days, stays
from nobishiro.simulation.frames import Flags, Float64, Int32, Int64
from nobishiro.simulation.maker.catalogue import Range
from nobishiro.simulation.streams import Streams

STORY: Final = 8
"""The first customers of the list are written by hand (story.py); chance draws nothing for them."""
A, B, C, D, NONE = range(5)
"""What a customer truly is: the quadrants, and those who never bought."""
SEGMENTS: Final = ("A", "B", "C", "D", "prospect")
REPS: Final = 20
BUSY_REP: Final = 2
"""The rep (by position) who spends most of the time in C."""

_SHARES: Final = (0.085, 0.145, 0.440, 0.265, 0.065)
_WALLET: Final = (23e6, 14e6, 8.8e6, 1.1e6, 4e6)
_WALLET_SPREAD: Final = (0.30, 0.30, 0.22, 0.55, 0.9)
_OPENED: Final = (0.50, 0.16, 0.96, 0.55, 0.0)
"""Share of the families they have use for that they bought from the beginning."""
_EXPLORING: Final = (1.1, 0.45, 0.10, 0.08, 0.0)
"""New families a year."""
_NEW: Final = (0.15, 0.25, 0.06, 0.35, 0.0)
"""Share who came within the span."""
_LEAVING: Final = (0.02, 0.05, 0.04, 0.16, 0.0)
"""Share who lapse within the span."""
_FOR_CAMERAS: Final = ("検査用照明", "検査用レンズ", "画像周辺機器")
_KEPT: Final = (0.66, 0.55, 0.90, 0.78, 0.0)
"""Our share of what they spend in a family they buy here."""

INDUSTRIES: Final = (
    # industry, words of company names, weight, use for each family in the catalogue's order (0 none to 9 much)
    ("食品機械", "食品機械:ショクヒンキカイ フードマシン:フードマシン", 10, "95347664875532244550346"),
    ("食品", "食品:ショクヒン フーズ:フーズ", 9, "84226453654414378440234"),
    ("自動車部品", "部品工業:ブヒンコウギョウ オートパーツ:オートパーツ", 12, "98668875655688534550455"),
    ("電子部品", "電子:デンシ マイクロ電機:マイクロデンキ", 11, "76853567988755423340445"),
    ("半導体装置", "テクノロジー:テクノロジー 精機:セイキ", 7, "76963678888756545550555"),
    ("物流設備", "搬送機:ハンソウキ ロジシステム:ロジシステム", 8, "96136686422380212330224"),
    ("包装機械", "包装機:ホウソウキ パッケージ:パッケージ", 8, "95237665766443234440345"),
    ("医薬品", "製薬:セイヤク ファーマ:ファーマ", 6, "63425445766676656660555"),
    ("樹脂成形", "化成:カセイ 樹脂:ジュシ", 9, "66447554433347346450234"),
    ("金属加工", "製作所:セイサクショ 精工:セイコウ", 14, "78556564322268324550234"),
    ("印刷", "印刷:インサツ プリント:プリント", 6, "84312454655423122330123"),
)


def trades() -> tuple[pl.DataFrame, Int64]:
    """Words company names end in, and the industry each belongs to."""
    rows = [(word, at) for at, row in enumerate(INDUSTRIES) for word in row[1].split()]
    frame = pl.DataFrame({"word": [w.split(":")[0] for w, _ in rows], "reading": [w.split(":")[1] for w, _ in rows]})
    return frame, np.array([at for _, at in rows], np.int64)


@dataclass(frozen=True, slots=True)
class Population:
    """N customers, F families; days are since 1970-01-01."""

    segment: Int64
    """(N,) position in SEGMENTS; of the story's customers as well."""
    drawn: Flags
    """(N,) True for those whom chance made; False for the story's."""
    trade: Int64
    """(N,) position in `trades()`."""
    industry: Int64
    wallet: Float64
    """(N, F) yen a year spent on the family anywhere."""
    share: Float64
    """(N, F) our share of it where the family was opened."""
    opened: Int32
    """(N, F) first day the family is bought here; NEVER where it never is."""
    joined: Int32
    """(N,) first day they may buy."""
    lapsed: Int32
    """(N,) first day they no longer buy; `span.past` for those who stay."""
    exploring: Float64
    """(N,) families a year they open."""
    discount: Float64
    """(N,) off the list price."""
    loyalty: Float64
    """(N,) what they answer on average when asked for 0–10."""
    rep: Int64
    """(N,) position of the window's rep."""
    reps: int
    """Reps in all divisions together."""
    window_reps: int

    @property
    def size(self) -> int:
        """Number of customers."""
        return self.segment.size

    @property
    def yearly(self) -> Float64:
        """(N, F) yen a year a family brings us while it is open."""
        return self.wallet * self.share

    @property
    def total(self) -> Float64:
        """(N,) yen a year spent anywhere on what we sell."""
        total: Float64 = self.wallet.sum(axis=1)
        return total


def draw_population(streams: Streams, count: int, range_: Range, span: Span) -> Population:
    """Customers with the shares of A–D that のびしろ計器 has: few A and B, many C and D."""
    random = streams.part("population")
    words, industry_of = trades()
    weights = np.array([INDUSTRIES[at][2] / len(INDUSTRIES[at][1].split()) for at in industry_of])
    trade = random.choice(words.height, count, p=weights / weights.sum())
    industry = industry_of[trade]
    segment = random.choice(len(SEGMENTS), count, p=_SHARES)
    total = np.asarray(_WALLET)[segment] * np.exp(random.normal(0.0, 1.0, count) * np.asarray(_WALLET_SPREAD)[segment])
    use = np.array([[int(digit) for digit in row[3]] for row in INDUSTRIES], np.float64)[industry]
    use[:, range_.catalogue.families.index("ついで品")] = 0.0
    families = use.shape[1]
    # some have no use for a family whatever their industry
    use *= random.random(use.shape) > 0.22
    wallet = use * random.gamma(2.2, 1.0, use.shape)
    wallet *= (total / np.maximum(wallet.sum(axis=1), 1e-9))[:, None]
    kept = np.asarray(_KEPT)[segment][:, None]
    share = np.clip(kept + (1.0 - kept) * kept * random.normal(0.0, 0.6, wallet.shape), 0.08, 0.99)
    come, go = np.asarray(_NEW)[segment], np.asarray(_LEAVING)[segment]
    joined, lapsed = stays(streams.part("stay"), come, go, span)
    joined[segment == NONE] = NEVER
    exploring = np.asarray(_EXPLORING)[segment] * random.gamma(4.0, 0.25, count)
    opened = _open(streams, use, segment, exploring, joined, span, range_)
    opened[wallet <= 0.0] = NEVER
    drawn = np.ones(count, np.bool_)
    drawn[:STORY] = False
    opened[:STORY] = NEVER
    reps = max(REPS, count // 40)
    window = reps // 2
    rep = _assign(
        random, window, segment, joined, lapsed, wallet, (wallet * share * (opened < span.past)).sum(axis=1), span
    )
    assert families == len(range_.catalogue.families)
    return Population(
        segment=segment,
        drawn=drawn,
        trade=trade,
        industry=industry,
        wallet=wallet,
        share=share,
        opened=opened,
        joined=joined,
        lapsed=lapsed,
        exploring=exploring,
        discount=np.clip(random.normal(0.07, 0.05, count), 0.0, 0.2).round(2).astype(np.float64),
        loyalty=np.clip(random.normal(7.1, 1.7, count), 0.5, 10.0),
        rep=rep,
        reps=reps,
        window_reps=window,
    )


def _assign(
    random: np.random.Generator,
    window: int,
    segment: Int64,
    joined: Int32,
    lapsed: Int32,
    wallet: Float64,
    current: Float64,
    span: Span,
) -> Int64:
    """The window's rep of each customer; the busy rep has only such C customers as anybody would see to be C."""
    rep = random.integers(0, window, segment.size)
    plain = (joined == span.first) & (lapsed == span.past) & (current > 6.0e6) & (wallet.sum(axis=1) - current < 2.4e6)
    rep[(rep == BUSY_REP) & (segment == C) & ~plain] = BUSY_REP + 1
    rep[:STORY] = 0
    return rep


def _open(
    streams: Streams, use: Float64, segment: Int64, exploring: Float64, joined: Int32, span: Span, range_: Range
) -> Int32:
    """When each family is first bought: some from the beginning, the others one by one at the exploring rate."""
    random = streams.part("opening")
    division = {article.family: article.division for article in range_.catalogue.articles}
    front = np.array([1.2 if division[name] == "D10" else 0.0 for name in range_.catalogue.families])
    wish = np.where(use > 0, np.log(np.maximum(use, 1e-9)) + front + random.gumbel(0.0, 1.0, use.shape), -np.inf)
    first = np.maximum(np.round(np.asarray(_OPENED)[segment] * (use > 0).sum(axis=1)), 1).astype(np.int64)
    day = opening_days(random, wish, first, exploring, joined, span)
    day[segment == NONE] = NEVER
    # lights, lenses and cables are mostly bought for cameras; some use lights alone
    camera = day[:, range_.catalogue.families.index("画像検査")]
    for name in _FOR_CAMERAS:
        family = range_.catalogue.families.index(name)
        alone = random.random(segment.size) < 0.1
        day[:, family] = np.where(alone, day[:, family], np.maximum(day[:, family], camera))
    return day
