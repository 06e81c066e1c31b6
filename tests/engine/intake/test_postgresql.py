"""A query on a real PostgreSQL, started for the test."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from nobishiro.contracts.errors import BadInput
from nobishiro.engine.intake.raw import ReadOptions
from nobishiro.engine.intake.sources import read_source

psycopg = pytest.importorskip("psycopg")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this Python")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("postgresql")
    server = pgserver.get_server(directory)
    url = server.get_uri()
    with psycopg.connect(url) as connection:
        connection.execute(
            "create table sales (得意先コード text, 受注番号 text, 商品コード text, "
            "売上日 date, 数量 int, 金額 numeric(18,2))"
        )
        connection.execute(
            "insert into sales values ('00123', '1', 'E100', '2025-04-01', 2, 1200.50), "
            "(null, '2', 'V', '2025-04-02', 1, 3)"
        )
    yield url
    server.cleanup()


def test_rows_keep_their_types_and_leading_zeros(address: str) -> None:
    raw = read_source(address, ReadOptions(query="select * from sales order by 受注番号"))
    assert raw.guess.kind == "database"
    assert raw.frame["得意先コード"].to_list() == ["00123", None]
    assert raw.frame["売上日"].to_list() == [date(2025, 4, 1), date(2025, 4, 2)]
    assert raw.frame["金額"].cast(pl.Decimal(18, 2)).to_list() == [Decimal("1200.50"), Decimal("3.00")]


def test_the_only_table_needs_no_query(address: str) -> None:
    assert read_source(address).frame.height == 2


def test_nothing_can_be_written_through_a_query(address: str) -> None:
    with pytest.raises(BadInput, match="read-only"):
        read_source(address, ReadOptions(query="delete from sales returning 1"))
    assert read_source(address).frame.height == 2


def test_a_query_that_fails_is_said_without_the_password(address: str) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        read_source(address, ReadOptions(query="select * from nowhere"))
    with pytest.raises(BadInput) as error:
        read_source("postgresql://rep:secret@127.0.0.1:1/erp", ReadOptions(query="select 1"))
    assert "secret" not in str(error.value)
