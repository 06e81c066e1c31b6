"""Every preset explains its own header row; a directory of one's own adds more."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import FileNotUsable, UnknownName
from nobishiro.contracts.tables import TABLES, Column
from nobishiro.engine.intake.guessing import guess_mapping
from nobishiro.engine.intake.headers import find_headers
from nobishiro.engine.intake.presets import Preset, list_presets, load_preset, match_preset
from nobishiro.engine.intake.raw import RawTable, ReadGuess, no_rejected
from nobishiro.engine.intake.rows import map_rows
from nobishiro.engine.settings import ImportSettings

SYSTEMS = (
    "sho_bugyo", "yayoi", "pca", "smile", "salesforce", "hubspot", "kintone", "esm", "satori", "shopify", "eccube",
    "futureshop", "rakuten_rms", "ga4", "outlook", "calendar",
)  # fmt: skip
CUSTOMERS = pl.DataFrame(
    {"customer_id": ["C1", "C2"], "name": ["山田食品株式会社", "Yamada Foods K.K."]},
)
PRESETS = list_presets()


def example(preset: Preset) -> RawTable:
    header, *rows = preset.example
    cells = [[cell or None for cell in row] for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(header, pl.String), orient="row")
    return RawTable(
        preset.name, frame, pl.Series(range(2, len(rows) + 2), dtype=pl.Int64), ReadGuess("csv"), (), no_rejected()
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_of_the_list_has_a_preset(system: str) -> None:
    assert any(preset.name.startswith(system) for preset in PRESETS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_preset_is_found_by_its_own_headers(preset: Preset) -> None:
    found = match_preset(preset.example[0])
    assert found is not None
    assert found.name == preset.name


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_preset_reads_its_own_example(preset: Preset) -> None:
    raw = example(preset)
    mapped = map_rows(raw, preset.mapping, ImportSettings(), date(2026, 11, 21), customers=CUSTOMERS)
    assert mapped.rejected.is_empty(), mapped.rejected["_reason"].to_list()
    assert mapped.frame.height >= 1
    assert mapped.frame.height + mapped.left_out.height == raw.frame.height
    wanted = {column for _, column in preset.mapping.columns}
    filled = {name for name in wanted if mapped.frame[name].null_count() < mapped.frame.height}
    assert {column.name for column in _required(preset)} <= set(mapped.frame.columns)
    assert len(filled) >= len(wanted) * 0.6, wanted - filled


def _required(preset: Preset) -> tuple[Column, ...]:
    return tuple(column for column in TABLES[preset.mapping.table].columns if column.required)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_preset_names_headers_its_example_has(preset: Preset) -> None:
    alternatives = {"メールアドレス(メイン)"}
    wanted = {header for mapping in (preset.mapping, *preset.mapping.also) for header, _ in mapping.columns}
    assert wanted - set(find_headers(wanted, preset.example[0])) <= alternatives


# What headers alone cannot tell: contacts carry company names as customers do, calendars name nobody by a code.
NOT_GUESSED = {"outlook_calendar", "calendar_csv", "hubspot_contacts", "satori_customers"}


@pytest.mark.parametrize("preset", [p for p in PRESETS if p.name not in NOT_GUESSED], ids=lambda preset: preset.name)
def test_the_guess_finds_the_same_table_without_the_preset(preset: Preset) -> None:
    guess = guess_mapping(example(preset).frame)
    assert guess.mapping.table == preset.mapping.table
    assert guess.missing == ()


def test_a_users_directory_adds_and_replaces(tmp_path: Path) -> None:
    (tmp_path / "our_ledger.toml").write_text(
        'ja = "当社台帳"\nen = "Our ledger"\nsource = "our own"\nverified = "knowledge"\n'
        'signature = ["社内売上No", "品"]\nexample = [["社内売上No", "品", "日"]]\n'
        '[mapping]\ntable = "order_lines"\n'
        'columns = [["社内売上No", "order_id"], ["品", "product_id"], ["日", "ordered_at"]]\n',
        "utf-8",
    )
    found = match_preset(["日", "社内売上No", "品"], [tmp_path])
    assert found is not None
    assert found.name == "our_ledger"
    assert load_preset("our_ledger", [tmp_path]).ja == "当社台帳"
    assert match_preset(["日", "社内売上No", "品"]) is None
    with pytest.raises(UnknownName, match="shopify_orders"):
        load_preset("our_ledger")


def test_a_broken_preset_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('ja = "x"\n', "utf-8")
    with pytest.raises(FileNotUsable, match=r"bad\.toml"):
        list_presets([tmp_path])


def test_eccube_postage_is_no_product_and_a_cancelled_order_no_sale() -> None:
    mapped = map_rows(
        example(load_preset("eccube_orders")),
        load_preset("eccube_orders").mapping,
        ImportSettings(),
        date(2026, 11, 21),
    )
    assert mapped.frame["product_id"].to_list() == ["sand-01", "送料"]
    products = next(further for further in mapped.also if further.table == "products")
    assert dict(products.frame.select("product_id", "kind").iter_rows()) == {"sand-01": "goods", "送料": "postage"}
    assert mapped.left_out.height == 1


def test_shopify_orders_carry_their_head_down() -> None:
    preset = load_preset("shopify_orders")
    mapped = map_rows(example(preset), preset.mapping, ImportSettings(), date(2026, 11, 21))
    assert mapped.frame["order_id"].to_list() == ["#1001", "#1001"]
    assert mapped.frame["customer_id"].n_unique() == 1
    assert mapped.frame["customer_id"].null_count() == 0
    assert mapped.frame["ordered_at"].null_count() == 0
