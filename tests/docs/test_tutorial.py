"""The tutorial is run as written, on a small file of sales made here, so that it cannot rot."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import typer
import xlsxwriter

from nobishiro.cli.demo import REAL
from nobishiro.cli.main import app, main
from nobishiro.engine.workspace import Workspace

_ROOT = Path(__file__).parents[2]
_TUTORIAL = _ROOT / "docs" / "tutorial"
_BLOCK = re.compile(r"<!-- step: (.+?) -->\n```sh\n(.+?)```(?:\n\n```text\n(.+?)```)?", re.DOTALL)
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_FAMILIES = (
    ("光電センサ", (("E100", "光電センサ E100", 6_000), ("E300", "光電センサ E300", 9_000))),
    ("画像検査", (("V-LITE", "画像検査 V-Lite", 240_000), ("V-STD", "画像検査 V-Std", 480_000))),
    ("保守", (("M-BASIC", "保守 Basic", 60_000), ("M-PLUS", "保守 Plus", 120_000))),
    ("消耗品", (("L10", "交換レンズ L10", 4_000), ("C05", "接続ケーブル C05", 2_500))),
)
_REPS = ("佐藤", "田中", "鈴木")


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    commands: tuple[str, ...]
    shown: tuple[str, ...]
    """Lines the tutorial says appear on the screen."""


def read_steps(language: str) -> list[Step]:
    text = (_TUTORIAL / f"first-map.{language}.md").read_text("utf-8")
    return [
        Step(name, tuple(block.strip().splitlines()), tuple((shown or "").strip().splitlines()))
        for name, block, shown in _BLOCK.findall(text)
    ]


def write_ledger(path: Path) -> None:
    """Sales of 41 codes over eighteen months under a title row; one bad date, one bad quantity, one customer twice."""
    rows = []
    slip = 0
    for number in range(40):
        place = ("青葉", "若竹", "白樺", "千歳", "早瀬", "三日月", "北浜")[number % 7]
        name = place + ("製作所", "食品", "化学", "電機", "運輸", "製菓")[number % 6]
        for turn in range(3 + (number * 7) % 11):
            slip += 1
            day = date(2025, 4, 1) + timedelta(days=(number * 13 + turn * 37) % 560)
            second = number == 6 and turn % 2 == 1
            code, shown = ("0107", f"㈱{name}") if second else (f"{number + 1:04d}", f"株式会社{name}")
            for line in range(1 + (number + turn) % 3):
                family, products = _FAMILIES[(number + line * (turn % 2)) % 4]
                product, label, price = products[(number + turn) % 2]
                quantity = 1 + (number + turn + line) % 4
                rep = _REPS[number % 3]
                sold = (product, label, family, quantity, quantity * price)
                rows.append([f"{day:%Y/%m/%d}", f"S{slip:05d}", code, shown, *sold, rep])
    rows.sort(key=lambda row: (row[0], row[1]))
    rows[5][0] = "2025/13/01"
    rows[20][7] = "三個"
    headers = ["売上日", "伝票番号", "得意先コード", "得意先名", "商品コード", "商品名", "商品分類"]
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("売上明細")
        sheet.write(0, 0, "売上明細表 2025年4月〜2026年10月")
        sheet.write_row(2, 0, [*headers, "数量", "お買上", "営業担当"])
        for at, row in enumerate(rows, 3):
            sheet.write_row(at, 0, row)


def write_assignments(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["顧客コード", "事業部コード", "担当者コード", "役割"])
        for number in range(40):
            sheet.write_row(number + 1, 0, [f"{number + 1:04d}", "D1", _REPS[number % 3], "main"])


def correct_rejected(path: Path) -> None:
    """What the reader does in Excel: the two cells, nothing else."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    day, quantity = header.index("売上日"), header.index("数量")
    for row in rows:
        row[day] = row[day].replace("2025/13/01", "2025/04/03")
        row[quantity] = row[quantity].replace("三個", "3")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_merge(path: Path) -> None:
    path.write_text("統合される顧客コード,統合先顧客コード,根拠\n0107,0007,先方に確認\n", "utf-8-sig")


def fill_in_tags(path: Path) -> None:
    """The first customer of the sheet is said to have little room and to order often: C, whatever was computed."""
    book = openpyxl.load_workbook(path)
    sheet = book["タグ記入"]
    first = sheet.cell(2, 1).value
    for row in range(2, sheet.max_row + 1):
        if sheet.cell(row, 1).value == first:
            said = {"what": "small", "pace": "high"}.get(str(sheet.cell(row, 2).value))
            if said is not None:
                sheet.cell(row, 3).value = said
    book.save(path)


_BEFORE = {
    "corrected rows": lambda: correct_rejected(Path("直す行.csv")),
    "assignments": lambda: write_assignments(Path("当社担当.xlsx")),
    "merge": lambda: write_merge(Path("名寄せ.csv")),
    "tags": lambda: fill_in_tags(Path("結果/nobishiro.xlsx")),
}


def run_command(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Run one line of the tutorial in this process; what it printed, blanks folded."""
    if _ID.search(command):
        newest = [c.import_id for c in Workspace.open("acme").store.commits() if c.kind == "import"][-1]
        command = _ID.sub(str(newest), command)
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/nobishiro", command
    monkeypatch.setattr(sys, "argv", ["nobishiro", *arguments])
    capsys.readouterr()
    try:
        main()
        code: object = 0
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr()
    assert code in (0, None), f"{command}\n{said.out}{said.err}"
    return " ".join(said.out.split())


def test_every_command_of_the_tutorial_does_what_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOBISHIRO_LANG", raising=False)
    monkeypatch.delenv("NOBISHIRO_WORKSPACE", raising=False)
    write_ledger(tmp_path / "売上明細.xlsx")
    said: dict[str, str] = {}
    seen: dict[str, object] = {}
    for step in read_steps("ja")[1:]:
        _BEFORE.get(step.name, lambda: None)()
        said[step.name] = " ".join(run_command(command, capsys, monkeypatch) for command in step.commands)
        for line in step.shown:
            assert " ".join(line.split()) in said[step.name], f"{step.name}: {line!r} is not in {said[step.name]!r}"
        if Path("acme/nobishiro.json").exists():
            seen[step.name] = Workspace.open("acme").read("order_lines").height
    assert "受注回数は" in said["first map"], "without an amount column the map counts orders, as the tutorial says"
    assert "dry run" not in seen or seen["dry run"] == 0
    assert seen["again"] == seen["import"], "importing the same file again changes nothing"
    assert seen["corrected rows"] == int(str(seen["import"])) + 5, "the rows held back come in once corrected"
    assert seen["undo"] == seen["import"]
    assert seen["corrected rows again"] == seen["corrected rows"]
    workspace = Workspace.open("acme")
    assert workspace.read("order_lines")["amount"].null_count() == 0
    assert workspace.read("tags").height == 2
    assert workspace.read("merges").height == 1
    assert sorted(path.name for path in Path("結果").iterdir()) == ["nobishiro.xlsx", "report.html"]
    positions = pl.read_csv("顧客マップ.csv", encoding="cp932", infer_schema=False)
    assert positions.height == 40, "the merged code is one customer with the other"
    tagged = positions.filter(pl.col("判定") == "tags")
    assert tagged["区分"].to_list() == ["C"]
    plan = pl.read_excel("計画.xlsx", raise_if_empty=False)
    assert set(plan["rep_id"]) <= set(_REPS)
    assert plan.height > 0
    assert Path("控え/order_lines.csv").exists()


def make_says(target: str) -> str:
    """What `make` would run for a target."""
    return subprocess.run(
        ["make", "--dry-run", "--always-make", target],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def parsed(command: str) -> dict[str, object]:
    """What the command line makes of one `.venv/bin/nobishiro …` of the tutorial, without doing it."""
    program, name, *arguments = shlex.split(command)
    assert program == ".venv/bin/nobishiro", command
    return typer.main.get_command(app).commands[name].make_context(name, arguments).params


def test_the_real_data_are_opened_as_the_tutorial_says() -> None:
    install, demo = read_steps("ja")[0].commands
    assert install == "make .venv/.ready"
    assert re.search(r"uv sync .*--extra web", make_says(".venv/.ready"))
    said = parsed(demo)
    assert (said["world"], said["serve"], said["port"]) == ("real", True, 8000)
    assert said["world"] == REAL


def test_both_languages_give_the_same_commands() -> None:
    ja, en = read_steps("ja"), read_steps("en")
    assert [(step.name, step.commands) for step in ja] == [(step.name, step.commands) for step in en]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_block_of_commands_stands_outside_a_step(language: str) -> None:
    text = (_TUTORIAL / f"first-map.{language}.md").read_text("utf-8")
    assert text.count("```sh") == len(read_steps(language))
