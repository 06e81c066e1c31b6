"""Orders that came by luck, by rows worked by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import SettingsError
from nobishiro.engine.store.store import Store
from nobishiro.pipelines.lucky_orders import LuckySettings, lucky_orders
from nobishiro.pipelines.published import PublishedRun, published_run

AT = datetime(2026, 11, 21, 9)
AS_OF = date(2026, 11, 21)


def _line(order: str, customer: str, day: date, amount: int, **more: object) -> dict[str, object]:
    return {
        "order_id": order, "product_id": "P1", "occurrence": 1, "customer_id": customer, "quantity": Decimal(2),
        "ordered_at": datetime(day.year, day.month, day.day, 10), "amount": Decimal(amount), "channel": None,
        "end_customer_id": None, "cancels_order_id": None,
    } | more  # fmt: skip


def _run(path: Path, lines: list[dict[str, object]], touches: list[tuple[str, date, str, str | None]]) -> PublishedRun:
    store = Store.create(path / "acme", at=AT)
    with store.begin(Store.new_import_id(AT), "import", "", AT) as transaction:
        transaction.upsert(
            "order_lines",
            pl.DataFrame(
                lines,
                schema_overrides={
                    "quantity": pl.Decimal(18, 3), "amount": pl.Decimal(18, 2), "ordered_at": pl.Datetime("us"),
                    "channel": pl.String, "end_customer_id": pl.String, "cancels_order_id": pl.String,
                },
            ),
        )  # fmt: skip
        if touches:
            transaction.upsert(
                "touches",
                pl.DataFrame(
                    [
                        {"touch_id": f"T{n}", "customer_id": customer, "kind": kind, "direction": direction,
                         "happened_at": datetime(day.year, day.month, day.day, 15)}
                        for n, (customer, day, kind, direction) in enumerate(touches)
                    ],
                    schema_overrides={"happened_at": pl.Datetime("us"), "direction": pl.String},
                ),
            )  # fmt: skip
        transaction.commit()
    head = store.head()
    assert head is not None
    with store.new_run(AS_OF, "{}", "0", head.number, AT) as writer:
        writer.publish()
    run = published_run(path / "acme")
    assert run is not None
    return run


def _found(run: PublishedRun, **settings: object) -> dict[str, str]:
    return dict(lucky_orders(run, LuckySettings(**settings)).select("order_id", "reason").iter_rows())  # type: ignore[arg-type]


DAY = date(2026, 10, 1)


def test_an_order_long_after_our_last_contact_came_by_luck(tmp_path: Path) -> None:
    run = _run(
        tmp_path,
        [_line("seen", "A", DAY, 100), _line("edge", "B", DAY, 100), _line("past", "C", DAY, 100),
         _line("never", "D", DAY, 100)],
        [("A", DAY, "visit", None), ("B", DAY - timedelta(days=60), "call", "outbound"),
         ("C", DAY - timedelta(days=61), "visit", None)],
    )  # fmt: skip
    assert _found(run) == {"past": "untouched", "never": "untouched"}
    rows = {row["order_id"]: row["touched_on"] for row in lucky_orders(run).iter_rows(named=True)}
    assert rows == {"past": DAY - timedelta(days=61), "never": None}


def test_what_the_customer_began_is_no_contact_of_ours(tmp_path: Path) -> None:
    run = _run(
        tmp_path,
        [_line("asked", "A", DAY, 100), _line("looked", "B", DAY, 100), _line("after", "C", DAY, 100)],
        [("A", DAY, "call", "inbound"), ("B", DAY, "web", None), ("C", DAY + timedelta(days=1), "visit", None)],
    )
    assert set(_found(run)) == {"asked", "looked", "after"}


def test_a_web_order_far_above_the_usual_counts_in_spite_of_a_visit(tmp_path: Path) -> None:
    before = [_line(f"A{n}", "A", DAY - timedelta(days=30 * n), 100) for n in (1, 2, 3)]
    run = _run(
        tmp_path,
        [*before, _line("web", "A", DAY, 200, channel="WEB"),
         _line("visit", "A", DAY + timedelta(days=2), 900, channel="visit"),
         _line("less", "A", DAY + timedelta(days=3), 199, channel="web")],
        [("A", DAY - timedelta(days=30 * n), "visit", None) for n in range(4)],
    )  # fmt: skip
    assert _found(run) == {"web": "unusual"}
    assert lucky_orders(run)["usual"].to_list() == [100.0]


def test_without_any_contact_on_record_only_the_channel_speaks(tmp_path: Path) -> None:
    lines = [
        _line("a", "A", DAY - timedelta(days=9), 100),
        _line("b", "A", DAY, 500, channel="web"),
        _line("c", "A", DAY, 500),
    ]
    assert set(_found(_run(tmp_path, lines, []))) <= {"b"}


def test_taken_back_old_and_future_orders_are_left_out(tmp_path: Path) -> None:
    lines = [
        _line("back", "A", DAY, 100), _line("credit", "A", DAY + timedelta(days=5), -100, cancels_order_id="back"),
        _line("part", "A", DAY, 100), _line("return", "A", DAY + timedelta(days=5), -30, cancels_order_id="part"),
        _line("old", "A", AS_OF - timedelta(days=181), 100), _line("kept", "A", AS_OF - timedelta(days=180), 100),
        _line("today", "A", AS_OF, 100), _line("till", "A", DAY, 100, customer_id=None),
    ]  # fmt: skip
    run = _run(tmp_path, lines, [("Z", DAY, "visit", None)])
    assert set(_found(run)) == {"part", "kept"}
    assert dict(lucky_orders(run).select("order_id", "amount").iter_rows())["part"] == 70.0


def test_an_order_through_a_dealer_is_the_end_customers(tmp_path: Path) -> None:
    run = _run(tmp_path, [_line("d", "dealer", DAY, 100, end_customer_id="E")], [("dealer", DAY, "visit", None)])
    assert lucky_orders(run).select("customer_id", "reason").rows() == [("E", "untouched")]


def test_the_largest_yen_come_first_and_no_more_than_asked(tmp_path: Path) -> None:
    lines = [_line(f"o{n}", f"C{n}", DAY, 100 * n) for n in range(1, 6)]
    lines.append(_line("o5", "C5", DAY, 9000, product_id="P9", quantity=Decimal(200)))
    run = _run(tmp_path, lines, [("Z", DAY, "visit", None)])
    found = lucky_orders(run, LuckySettings(most=2))
    assert found.select("order_id", "amount", "product_id", "quantity").rows() == [
        ("o5", 9500.0, "P9", 200.0), ("o4", 400.0, "P1", 2.0),
    ]  # fmt: skip


def test_settings_that_cannot_be_are_said(tmp_path: Path) -> None:
    run = _run(tmp_path, [_line("o", "A", DAY, 1)], [])
    with pytest.raises(SettingsError):
        lucky_orders(run, LuckySettings(untouched_days=-1))
