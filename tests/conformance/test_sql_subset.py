"""Every statement keeps to the written subset of docs/reference/sql-subset.md, and the lint catches what does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from nobishiro.engine.understand.statements import STATEMENTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "sql-subset.md"

STRUCTURE = {
    exp.Alias, exp.And, exp.CTE, exp.Column, exp.Distinct, exp.From, exp.Group, exp.Identifier, exp.Join, exp.Literal,
    exp.Null, exp.Or, exp.Order, exp.Ordered, exp.Paren, exp.Placeholder, exp.Select, exp.Star, exp.Subquery,
    exp.Table, exp.TableAlias, exp.Var, exp.Where, exp.Window, exp.With, exp.Having,
}  # fmt: skip
OPERATORS = {
    exp.Add, exp.Between, exp.EQ, exp.GT, exp.GTE, exp.Is, exp.LT, exp.LTE, exp.Mul, exp.NEQ, exp.Neg, exp.Not, exp.Sub,
}  # fmt: skip
FUNCTIONS = {
    exp.Abs: "abs",
    exp.Case: "CASE",
    exp.Cast: "CAST",
    exp.Coalesce: "coalesce",
    exp.Count: "count",
    exp.DateDiff: "date_diff",
    exp.Greatest: "greatest",
    exp.Lag: "lag",
    exp.Least: "least",
    exp.Max: "max",
    exp.Min: "min",
    exp.RowNumber: "row_number",
    exp.Sum: "sum",
}
PARTS_OF_FUNCTIONS = {exp.If, exp.DataType}
CASTS = {"BIGINT", "DOUBLE"}


def faults_of(text, parameters=()):
    """What breaks the subset; empty when nothing does."""
    parsed = sqlglot.parse(text, read="duckdb")
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Select):
        return ["not one SELECT"]
    tree = parsed[0]
    faults = []
    for node in tree.walk():
        kind = type(node)
        if kind not in STRUCTURE and kind not in OPERATORS and kind not in FUNCTIONS and kind not in PARTS_OF_FUNCTIONS:
            faults.append(f"{kind.__name__} is outside the subset")
    for cast in tree.find_all(exp.Cast):
        to = cast.to.sql("duckdb")
        if to not in CASTS:
            faults.append(f"CAST to {to}")
        if to == "BIGINT" and not isinstance(cast.this, exp.Count | exp.Sum):
            faults.append("CAST to BIGINT of something that is no count or sum")
    for difference in tree.find_all(exp.DateDiff):
        unit = difference.args["unit"]
        days = all(
            isinstance(side, exp.Column) and side.name.endswith("day")
            for side in (difference.this, difference.expression)
        )
        if unit.name.lower() != "day" or not days:
            faults.append("date_diff of something other than days of day columns")
    faults += [
        "row_number or lag without ORDER BY"
        for window in tree.find_all(exp.Window)
        if isinstance(window.this, exp.RowNumber | exp.Lag) and not window.args.get("order")
    ]
    faults += [
        "count without CAST to BIGINT"
        for count in tree.find_all(exp.Count)
        if not isinstance(count.parent, exp.Cast | exp.Window)
    ]
    for select in tree.find_all(exp.Select):
        if select.args.get("distinct") is not None and select.args["distinct"].args.get("on") is not None:
            faults.append("DISTINCT ON")
        if any(isinstance(item, exp.Star) for item in select.expressions):
            faults.append("SELECT *")
        if select.args.get("order") is not None:
            faults.append("ORDER BY of rows: sort where they arrive")
        faults += ["GROUP BY ALL" for group in select.find_all(exp.Group) if group.args.get("all")]
    for join in tree.find_all(exp.Join):
        if {key for key, value in join.args.items() if value} != {"this", "on"}:
            faults.append("a join other than JOIN … ON")
    used = {node.name for node in tree.find_all(exp.Placeholder)}
    if used != set(parameters):
        faults.append(f"parameters {sorted(used)} but {sorted(parameters)} are declared")
    return faults


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_keeps_to_the_subset(name):
    statement = STATEMENTS[name]
    assert faults_of(statement.text, statement.parameters) == []


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_reads_the_tables_it_declares(name):
    tree = sqlglot.parse_one(STATEMENTS[name].text, read="duckdb")
    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    assert {table.name for table in tree.find_all(exp.Table)} - made == set(STATEMENTS[name].tables)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("SELECT quantile_cont(a, 0.5) AS b FROM sales", "PercentileCont"),
        ("SELECT median(a) AS b FROM sales", "Median"),
        ("SELECT approx_count_distinct(a) AS b FROM sales", "ApproxDistinct"),
        ("SELECT log(a) AS b FROM sales", "Log"),
        ("SELECT list(a ORDER BY b) AS c FROM sales", "ArrayAgg"),
        ("SELECT a / b AS c FROM sales", "Div"),
        ("SELECT a // b AS c FROM sales", "IntDiv"),
        ("SELECT a % b AS c FROM sales", "Mod"),
        ("SELECT CAST(a AS INTEGER) AS b FROM sales", "CAST to INT"),
        ("SELECT CAST(a AS BIGINT) AS b FROM sales", "no count or sum"),
        ("SELECT date_diff('hour', first_day, last_day) AS b FROM sales", "date_diff"),
        ("SELECT date_diff('day', began_at, ended_at) AS b FROM sales", "date_diff"),
        ("SELECT day - 1 AS b FROM sales ORDER BY b", "ORDER BY"),
        ("SELECT count(*) AS b FROM sales", "count without CAST"),
        ("SELECT * FROM sales", r"SELECT \*"),
        ("SELECT DISTINCT ON (a) a FROM sales", "DISTINCT ON"),
        ("SELECT row_number() OVER (PARTITION BY a) AS b FROM sales", "without ORDER BY"),
        ("SELECT s.a FROM sales AS s LEFT JOIN t ON s.a = t.a", "a join other than"),
        ("SELECT s.a FROM sales AS s ASOF JOIN t ON s.a >= t.a", "a join other than"),
        ("SELECT a FROM sales QUALIFY row_number() OVER (ORDER BY a) = 1", "Qualify"),
        ("SELECT a FROM sales LIMIT 3", "Limit"),
        ("SELECT a FROM sales UNION ALL SELECT a FROM t", "not one SELECT"),
        ("SELECT a FROM sales; SELECT a FROM t", "not one SELECT"),
        ("DELETE FROM sales", "not one SELECT"),
        ("SELECT a FROM sales WHERE day < $as_of", "parameters"),
    ],
)
def test_lint_catches(text, fault):
    assert re.search(fault, "; ".join(faults_of(text)))


def test_document_lists_exactly_the_functions_of_the_lint():
    text = DOCUMENT.read_text("utf-8")
    table = text[text.index("## Functions") : text.index("## Refused")]
    assert set(re.findall(r"^\| `(\w+)", table, re.MULTILINE)) == set(FUNCTIONS.values())
