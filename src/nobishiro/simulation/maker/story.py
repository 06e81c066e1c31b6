"""The customers the product's story is told with, written by hand: the same people whatever the seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from nobishiro.contracts.tables import TABLES
from nobishiro.simulation.frames import schema_of, truth
from nobishiro.simulation.maker.catalogue import Range
from nobishiro.simulation.maker.population import STORY
from nobishiro.simulation.names import corporate_numbers

TOWA, LUCKY, FAIR, RIVAL, PROMOTER, DETRACTOR, MAINTAINED, QUIET = (f"C{number:06d}" for number in range(1, STORY + 1))
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Story:
    """Rows to put beside the drawn ones, by canonical table, and what each story customer is there for."""

    rows: Mapping[str, pl.DataFrame]
    truth: pl.DataFrame


STORY_TRUTH: Final = {"customer_id": pl.String, "part": pl.String, "expected": pl.String}


@dataclass(slots=True)
class _Book:
    """What is written, one row after the other."""

    as_of: date
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def write(self, table: str, **values: object) -> None:
        """One row; numbers the tables that need one with codes no drawn row has."""
        known = self.rows.setdefault(table, [])
        number = TABLES[table].key[0]
        if number in _PREFIXES and number not in values:
            values[number] = f"{_PREFIXES[number]}{len(known) + 1:05d}"
        known.append(dict(values))

    def day(self, back: int) -> date:
        """So many days before `as_of`."""
        return self.as_of - timedelta(days=back)

    def at(self, back: int, hour: int = 10) -> datetime:
        """The same at a full hour; on a Friday where it would be a weekend."""
        day = self.day(back)
        day -= timedelta(days=max(day.weekday() - 4, 0))
        return datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - the workspace's clock

    def on(self, day: date, hour: int = 10) -> datetime:
        """A given day, never on or after `as_of`."""
        return datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001


_PREFIXES: Final = {
    "contact_id": "PS", "touch_id": "TS", "proposal_id": "KS", "deal_id": "NS", "answer_id": "AS", "ticket_id": "QS",
    "event_id": "WS", "outcome_id": "US",
}  # fmt: skip


def tell_story(range_: Range, reps: pl.DataFrame, as_of: date) -> Story:
    """The rows of the eight story customers; their customer rows and the window's rep come with the drawn ones."""
    book = _Book(as_of)
    prices = {a.code: a for a in range_.catalogue.articles}
    window = reps["rep_id"][0]
    orders = _Orders(book, prices, window)
    _towa(book, orders, window)
    _lucky(orders)
    _fair(book, window)
    _rival(book, orders, window)
    _content(book, orders, window)
    for customer, division, role in ((RIVAL, "D20", "specialist"), (PROMOTER, "D30", "specialist"),
                                     (PROMOTER, "D40", "service"), (DETRACTOR, "D30", "specialist")):  # fmt: skip
        owner = reps.filter(pl.col("division_id") == division)["rep_id"][0]
        book.write("assignments", customer_id=customer, division_id=division, rep_id=owner, role=role,
                   valid_from=book.day(700))  # fmt: skip
    truths = [
        (TOWA, "b_unseen", "quadrant B; V-Std never proposed; last touch 38 days before as_of"),
        (LUCKY, "lucky_order", "200 × E500 by web, no touch, hardly a fact"),
        (FAIR, "fair_questionnaire", "five answers of a fair's form, no order"),
        (RIVAL, "downsell", "open V-Std deal against a competitor; V-Lite would hold the place until the next model"),
        (PROMOTER, "promoter", "NPS 10"),
        (DETRACTOR, "detractor", "NPS 2 and an open complaint: service, no offers"),
        (MAINTAINED, "maintained", "quadrant C: buys nearly everything here already"),
        (QUIET, "dormant", "no order for more than a year"),
    ]
    columns = dict(zip(STORY_TRUTH, zip(*truths, strict=True), strict=True))
    rows = {name: pl.DataFrame(some, schema=schema_of(TABLES[name])) for name, some in book.rows.items()}
    return Story(rows, truth(columns, STORY_TRUTH))


def story_customers() -> pl.DataFrame:
    """Name, reading, industry position, employees, sales, how acquired and state of the eight, in order."""
    rows = (
        ("東和食品機械株式会社", "トウワショクヒンキカイ", "食品機械", 180, 5_200_000_000, "visit", "active"),
        (
            "霞乃木オートメーション株式会社",
            "カスミノキオートメーション",
            "包装機械",
            60,
            1_400_000_000,
            "web",
            "active",
        ),
        ("株式会社澄名越パッケージ", "スミナゴシパッケージ", "包装機械", 45, 900_000_000, "fair", "prospect"),
        ("白鷺手原電子株式会社", "シラサギテバラデンシ", "電子部品", 320, 8_800_000_000, "visit", "active"),
        ("楓牧谷製薬株式会社", "カエデマキタニセイヤク", "医薬品", 540, 21_000_000_000, "introduction", "active"),
        ("響代田原化成株式会社", "ヒビキシロタハラカセイ", "樹脂成形", 95, 2_300_000_000, "visit", "active"),
        ("帆間瀬搬送機株式会社", "ホマセハンソウキ", "物流設備", 210, 6_100_000_000, "visit", "active"),
        ("櫂輪島田精工有限会社", "カイワジマダセイコウ", "金属加工", 28, 480_000_000, "web", "dormant"),
    )
    names = ("name", "name_kana", "industry", "employees", "annual_sales", "acquired_by", "state")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names), orient="row")
    return frame.with_columns(
        corporate_numbers(pl.Series(range(1, STORY + 1)).to_numpy()).alias("corporate_number"),
    )


@dataclass(slots=True)
class _Orders:
    book: _Book
    prices: Mapping[str, object]
    rep: str
    count: int = 0

    def place(self, customer: str, when: datetime, channel: str, *lines: tuple[str, int]) -> None:
        self.count += 1
        for code, quantity in lines:
            article = self.prices[code]
            price, division = article.price, article.division  # type: ignore[attr-defined]
            self.book.write(
                "order_lines",
                order_id=f"OS{self.count:07d}",
                product_id=code,
                occurrence=1,
                customer_id=customer,
                ordered_at=when,
                quantity=quantity,
                amount=price * quantity,
                unit_price=price,
                division_id=division,
                rep_id=None if channel == "web" else self.rep,
                channel=channel,
            )


def _towa(book: _Book, orders: _Orders, rep: str) -> None:
    """A maker of food machines: buys sensors, twice bought lights in September, is short of people who inspect."""
    book.write("contacts", contact_id="PS00001", customer_id=TOWA, family_name="東", given_name="和子",
               name_kana="アズマ カズコ", department="生産技術部", title="課長",
               email="kazuko.azuma@towa-shokki.example", phone="030-0000-1201", is_decision_maker=True)  # fmt: skip
    book.write("contacts", contact_id="PS00002", customer_id=TOWA, family_name="本多", given_name="修",
               name_kana="ホンダ オサム", department="品質保証部", title="主任",
               email="osamu.honda@towa-shokki.example", phone="030-0000-1202", is_decision_maker=False)  # fmt: skip
    september = date(book.as_of.year - (book.as_of.month < 10), 9, 1)
    for month in range(35, 1, -3):
        orders.place(TOWA, book.at(30 * month + 4), "visit", ("E100-N", 24), ("BK-E1", 24))
        orders.place(TOWA, book.at(30 * month - 14), "fax", ("P10-M12", 30), ("CB-M12-2", 30), ("PS-24", 3))
    orders.place(TOWA, book.at(300), "visit", ("S10-G", 12), ("HB-IO", 5))
    orders.place(TOWA, book.at(190), "visit", ("G10-20", 3), ("GD-1", 6))
    for later in (8, 24):
        orders.place(TOWA, book.on(september + timedelta(days=later)), "web", ("LT-R90", 4), ("LT-R70", 2))
    for back, minutes, subject, note in (
        (290, 90, "定期訪問", "充填ラインのセンサ交換時期を確認。"),
        (165, 80, "ライン改善の相談", "安全柵の見直し。セーフティは当社で決まり。"),
        (
            38,
            75,
            "定期訪問",
            "検査用照明は目視検査台でお使い。目視検査の人手不足に困っているとのこと。",
        ),
    ):
        day = book.day(back)
        book.write("touches", customer_id=TOWA, contact_id="PS00001", rep_id=rep, division_id="D10", kind="visit",
                   direction="outbound", happened_at=book.on(day, 14), minutes=minutes, subject=subject,
                   note=note)  # fmt: skip
    seen = book.day(38)
    for fact, value, amount in (
        ("total_spend", "年間およそ1,800万円", 18_000_000),
        ("chosen_reason", "納期が早いから", None),
        ("next_interest", "目視検査の人手不足。検査の自動化に関心", None),
        ("outlook", "増産の見込み", None),
        ("knows_our_range", "センサのみご存じ", None),
    ):
        book.write("facts", customer_id=TOWA, fact=fact, subject="-", value=value, amount=amount,
                   learned_on=seen, source="visit", rep_id=rep)  # fmt: skip
    book.write("facts", customer_id=TOWA, fact="total_spend", subject="画像検査", value="目視検査に年間およそ600万円",
               amount=6_000_000, learned_on=seen, source="visit", rep_id=rep)  # fmt: skip
    book.write("tags", customer_id=TOWA, tag="relation", value="○", set_by=rep, set_on=seen)
    _nps(book, TOWA, "PS00001", 9, 60, "困ったときに現場まで来てくれる。")


def _lucky(orders: _Orders) -> None:
    """A maker of packaging machines nobody visits orders two hundred of the dearest sensor on the web."""
    orders.place(LUCKY, orders.book.at(400), "web", ("E100-N", 10))
    orders.place(LUCKY, orders.book.at(26, 21), "web", ("E500-N", 200))
    orders.book.write("facts", customer_id=LUCKY, fact="chosen_reason", subject="-", value="不明(ウェブからのご注文)",
                      amount=None, learned_on=orders.book.day(25), source="web", rep_id=None)  # fmt: skip


def _fair(book: _Book, rep: str) -> None:
    """A visitor of a fair filled in the form and was not called yet."""
    book.write("contacts", contact_id="PS00003", customer_id=FAIR, family_name="名越", given_name="凛",
               name_kana="ナゴシ リン", department="製造部", title="係長", email="rin.nagoshi@sumi-package.example",
               phone="030-0000-1303", is_decision_maker=False)  # fmt: skip
    for question, answer in (
        ("現在お使いの機種", "他社の変位センサ(ミナモ電機)"),
        ("導入時期", "2019年ごろ"),
        ("ご検討の内容", "増設"),
        ("ご計画の時期", "来年3月まで"),
        ("ご要望", "段取り替えを減らしたい。寸法も自動で測りたい"),
    ):
        book.write("survey_answers", customer_id=FAIR, contact_id="PS00003", survey="秋の自動化展(架空)アンケート",
                   question=question, answer=answer, score=None, answered_at=book.at(17, 15))  # fmt: skip
    book.write("touches", customer_id=FAIR, contact_id="PS00003", rep_id=rep, division_id="D10", kind="event",
               direction="inbound", happened_at=book.at(17, 15), minutes=10, subject="展示会ブースへのご来場",
               note="変位センサの実演をご覧になった。")  # fmt: skip


def _rival(book: _Book, orders: _Orders, rep: str) -> None:
    """A maker of parts hesitates between V-Std and a competitor's cheaper camera."""
    book.write("contacts", contact_id="PS00004", customer_id=RIVAL, family_name="手原", given_name="誠",
               name_kana="テバラ マコト", department="品質保証部", title="部長",
               email="makoto.tebara@shirasagi.example", phone="030-0000-1404", is_decision_maker=True)  # fmt: skip
    for back in range(1000, 20, -75):
        orders.place(RIVAL, book.at(back), "visit", ("E300-N", 30), ("BK-E2", 30), ("CB-M12-5", 30), ("P20-M12", 40))
    book.write("deals", customer_id=RIVAL, name="画像検査 導入案件", product_id="V-STD", family="画像検査", rep_id=rep,
               division_id="D20", stage="見積提出", outcome="open", amount=1_560_000, opened_on=book.day(55),
               expected_on=book.as_of + timedelta(days=20), competitor="ヒノワ光学(架空)")  # fmt: skip
    book.write("touches", customer_id=RIVAL, contact_id="PS00004", rep_id=rep, division_id="D10", kind="visit",
               direction="outbound", happened_at=book.at(12, 13), minutes=90, subject="見積説明",
               note="ヒノワ光学が四割安い機種を出してきた。V-Liteなら予算に収まるとのこと。")  # fmt: skip
    for fact, subject, value, amount in (
        ("competitor_moves", "-", "ヒノワ光学が画像検査で値引き。次期モデルを待つ余裕はない", None),
        ("total_spend", "-", "年間およそ4,500万円", 45_000_000),
        ("investment_plan", "-", "検査工程に投資", None),
        ("deciding_department", "-", "品質保証部", None),
    ):
        book.write("facts", customer_id=RIVAL, fact=fact, subject=subject, value=value, amount=amount,
                   learned_on=book.day(12), source="visit", rep_id=rep)  # fmt: skip
    book.write("proposals", customer_id=RIVAL, product_id="V-STD", family="画像検査", touch_id=None, rep_id=rep,
               proposed_at=book.at(40), result="considering", reason="価格", amount=1_560_000)  # fmt: skip
    book.write("tags", customer_id=RIVAL, tag="relation", value="○", set_by=rep, set_on=book.day(12))


def _content(book: _Book, orders: _Orders, rep: str) -> None:
    """A promoter, a detractor, one who buys everything here, and one who fell silent."""
    for number, (customer, family, given, kana) in enumerate(
        ((PROMOTER, "牧谷", "香織", "マキタニ カオリ"), (DETRACTOR, "代田", "学", "シロタ マナブ"),
         (MAINTAINED, "間瀬", "亮", "マセ リョウ"), (QUIET, "輪島", "恵", "ワジマ メグミ")), start=5,
    ):  # fmt: skip
        book.write("contacts", contact_id=f"PS{number:05d}", customer_id=customer, family_name=family, given_name=given,
                   name_kana=kana, department="生産技術部", title="課長", email=f"contact{number}@story.example",
                   phone=f"030-0000-15{number:02d}", is_decision_maker=True)  # fmt: skip
    for back in range(1020, 15, -40):
        orders.place(PROMOTER, book.at(back), "visit", ("M50-S", 1), ("FL-40", 4), ("DL-16", 1))
        orders.place(MAINTAINED, book.at(back - 6), "visit", ("E300-P", 40), ("CB-M12-2", 40), ("PS-24H", 4))
    for back in range(990, 60, -90):
        orders.place(DETRACTOR, book.at(back), "fax", ("P10-M8", 20), ("DL-8", 1))
    for back in range(1000, 480, -100):
        orders.place(QUIET, book.at(back), "web", ("E100-P", 12))
    for back in range(350, 5, -14):
        for customer in (PROMOTER, MAINTAINED):
            book.write("touches", customer_id=customer, contact_id=None, rep_id=rep, division_id="D10", kind="visit",
                       direction="outbound", happened_at=book.at(back, 13), minutes=60, subject="定期訪問")  # fmt: skip
    for customer, amount in ((PROMOTER, 52_000_000), (DETRACTOR, 3_100_000), (MAINTAINED, 10_000_000)):
        book.write("facts", customer_id=customer, fact="total_spend", subject="-",
                   value=f"年間およそ{amount // 10_000:,}万円", amount=amount,
                   learned_on=book.day(90), source="visit", rep_id=rep)  # fmt: skip
    _nps(book, PROMOTER, "PS00005", 10, 50, "提案がいつも現場に合っている。他部署にも勧めた。")
    _nps(book, DETRACTOR, "PS00006", 2, 48, "納期回答が二度変わった。")
    book.write("tickets", customer_id=DETRACTOR, contact_id="PS00006", opened_at=book.at(9, 11), kind="complaint",
               product_id="DL-8", subject="納期遅れへのご不満", note="代替機の手配を希望。未完了。")  # fmt: skip


def _nps(book: _Book, customer: str, contact: str, score: int, back: int, why: str) -> None:
    when = book.at(back, 16)
    survey = "お客様アンケート 2回目"
    book.write("survey_answers", customer_id=customer, contact_id=contact, survey=survey, question="nps",
               answer=str(score), score=float(score), answered_at=when)  # fmt: skip
    book.write("survey_answers", customer_id=customer, contact_id=contact, survey=survey, question="理由",
               answer=why, score=None, answered_at=when)  # fmt: skip
