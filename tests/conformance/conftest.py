"""Hand-worked rows that every engine must reduce alike, and the engines."""

from __future__ import annotations

import os
import shutil
import warnings
from datetime import date, datetime

import polars as pl
import pytest

from nobishiro.engine.backends import connect

AS_OF = date(2024, 7, 1)

# customer, order, product, moment, quantity, amount
LINES = [
    # "a": lines of order o1 not adjacent; the same product twice on it
    ("a", "o1", "p1", datetime(2022, 1, 10, 23, 59, 59, 999999), 1.0, 100.0),
    ("b", "o2", "p1", datetime(2023, 6, 30, 0, 0), 2.0, 50.0),
    ("a", "o1", "p2", datetime(2022, 1, 10, 0, 0), 1.0, 10.0),
    ("a", "o1", "p1", datetime(2022, 1, 10, 12, 0), 1.0, 100.0),
    # "a": two orders on one day, one a minute before midnight
    ("a", "o3", "p3", datetime(2023, 7, 2, 23, 59), 1.0, 30.0),
    ("a", "o4", "p2", datetime(2023, 7, 2, 0, 0), 1.0, 20.0),
    ("a", "o5", "p2", datetime(2024, 6, 30, 23, 59, 59), 1.0, 5.0),
    # exactly at the exclusive end: in nobody's numbers
    ("a", "o6", "p1", datetime(2024, 7, 1, 0, 0), 1.0, 1000.0),
    # order o7 names b and c over two days: it is b's, on the earlier day
    ("c", "o7", "p4", datetime(2024, 3, 1, 8, 0), 1.0, 7.0),
    ("b", "o7", "p1", datetime(2024, 3, 2, 8, 0), 1.0, 3.0),
    # order o8 names nobody on one line and d on another: it is d's
    (None, "o8", "p1", datetime(2023, 7, 3, 8, 0), 1.0, 4.0),
    ("d", "o8", "p2", datetime(2023, 7, 3, 8, 0), 1.0, 6.0),
    # anonymous
    (None, "o9", "p1", datetime(2024, 1, 1, 8, 0), 1.0, 9.0),
    (None, "o9", "p2", datetime(2024, 1, 1, 8, 0), 1.0, 9.0),
    # no quantity, no amount
    ("d", "o10", "p4", datetime(2024, 2, 1, 8, 0), None, None),
    # no order, no product, no day
    ("d", None, "p4", datetime(2024, 2, 2, 8, 0), 1.0, 1.0),
    ("d", "o11", None, datetime(2024, 2, 3, 8, 0), 1.0, 1.0),
    ("d", "o12", "p4", None, 1.0, 1.0),
    # before 1970, and a family-less product
    ("e", "o13", "p5", datetime(1969, 12, 31, 23, 0), 1.0, -2.0),
]
LINE_SCHEMA = {
    "customer_id": pl.String,
    "order_id": pl.String,
    "product_id": pl.String,
    "ordered_at": pl.Datetime("us"),
    "quantity": pl.Float64,
    "amount": pl.Float64,
}
FAMILIES = pl.DataFrame({"product_id": ["p1", "p2", "p3", "p4"], "family": ["F", "G", "G", "F"]})
TOUCHES = pl.DataFrame(
    [
        ("a", "visit", datetime(2023, 7, 1, 23, 59), 30.0),
        ("a", "visit", datetime(2023, 7, 2, 0, 0), 60.0),
        ("a", "call", datetime(2023, 7, 2, 18, 0), None),
        ("a", "call", datetime(2023, 7, 12, 9, 0), 6.0),
        ("a", "mail", datetime(2024, 7, 1, 0, 0), 1.0),
        ("z", "visit", datetime(2024, 6, 30, 23, 59), 90.0),
        (None, "visit", datetime(2024, 1, 1), 5.0),
    ],
    schema={"customer_id": pl.String, "kind": pl.String, "happened_at": pl.Datetime("us"), "minutes": pl.Float64},
    orient="row",
)


def sales_rows(lines):
    """The `sales` table the statements read."""
    return lines.select(
        "customer_id", "order_id", "product_id", pl.col("ordered_at").cast(pl.Date).alias("day"), "quantity", "amount"
    )


def arrow(frame):
    """Arrow rows every engine takes."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


@pytest.fixture(scope="session")
def as_of():
    return AS_OF


@pytest.fixture(scope="session")
def edge_lines():
    return pl.DataFrame(LINES, schema=LINE_SCHEMA, orient="row")


@pytest.fixture(scope="session")
def edge_families():
    return FAMILIES


@pytest.fixture(scope="session")
def edge_touches():
    return TOUCHES


@pytest.fixture(scope="session")
def spark_backend(tmp_path_factory):
    """One real Spark with two threads for the whole session; pandas' own warnings are not ours to fail on."""
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        pytest.skip("no Java: Spark cannot start")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backend = connect(
            "spark://local[2]",
            options={
                "spark.sql.shuffle.partitions": "2",
                "spark.default.parallelism": "2",
                "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
                "spark.driver.extraJavaOptions": f"-Dderby.system.home={tmp_path_factory.mktemp('derby')}",
            },
        )
        yield backend
        backend.close()


@pytest.fixture
def duckdb_backend():
    backend = connect(threads=2, memory_limit="1GB")
    yield backend
    backend.close()


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def backend(request):
    """Each engine in turn."""
    return request.getfixturevalue(f"{request.param}_backend")


@pytest.fixture
def bound(backend, edge_lines):
    """An engine with the hand-worked tables bound."""
    backend.bind("sales", arrow(sales_rows(edge_lines)))
    backend.bind("product_families", arrow(FAMILIES))
    touches = TOUCHES.select("customer_id", pl.col("happened_at").cast(pl.Date).alias("day"), "kind", "minutes")
    backend.bind("touches", arrow(touches))
    return backend
