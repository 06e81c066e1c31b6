"""`nobishiro simulate`: files or a workspace, by number or by size."""

from __future__ import annotations

import json

import pytest
from cli_desk import Desk


def test_files_are_written_and_the_label_is_said(desk: Desk) -> None:
    said = desk.nobishiro("simulate", "shop", "--customers", 100, "--out", "shop", "--json", "--seed", 3)
    assert said.code == 0, said.err
    document = said.document
    assert document["simulated"] is True
    assert (document["business"], document["customers"], document["seed"]) == ("shop", 100, 3)
    assert document["as_of"] == "2026-11-21"
    assert all((desk.path / path).is_file() for path in document["files"])
    label = json.loads((desk.path / "shop" / "simulated.json").read_text("utf-8"))
    assert label["name_ja"] == "ひより市場"


def test_workspace_is_made_and_can_be_computed(desk: Desk) -> None:
    said = desk.nobishiro(
        "simulate", "maker", "--size", "small", "--workspace", desk.workspace, "--as-of", "2026-10-01"
    )
    assert said.code == 0, said.err
    assert "Nobishiro Keiki" in said.out and "fictional" in said.out
    ran = desk.nobishiro("run", "-w", desk.workspace, "--json", "--as-of", "2026-10-01")
    assert ran.code == 0, ran.err
    assert ran.document["rows"]["positions"] == 300


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("maker",), "--out"),
        (("maker", "--out", "a", "--workspace", "b"), "--out"),
        (("maker", "--out", "a", "--size", "huge"), "huge"),
        (("maker", "--out", "a", "--size", "small", "--customers", 500), "--size"),
        (("bank", "--out", "a"), "bank"),
        (("maker", "--out", "a", "--customers", 5), "5 customers"),
        (("maker", "--out", "a", "--as-of", "soon"), "soon"),
        (("maker", "--out", "a", "--kind", "pdf", "--customers", 100), "pdf"),
    ],
)
def test_wrong_usage_ends_with_two_and_writes_no_table(desk: Desk, options: tuple[object, ...], words: str) -> None:
    said = desk.nobishiro("simulate", *options)
    assert said.code == 2, said.out + said.err
    assert words in said.err
    assert not list(desk.path.rglob("*.csv"))
