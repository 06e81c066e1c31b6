"""Everything the code can say has natural Japanese: the list is held to the code by reading the code."""
# ruff: noqa: E501  (sentences stay whole)

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nobishiro
from nobishiro.cli.main import main
from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.import_file import ImportRequest, import_file
from nobishiro.pipelines.wording import in_japanese, word, word_column

ROOT = Path(nobishiro.__file__).parent
SAID_AS_ERROR_ONLY = {
    "cli/words.py": "its texts stand in both languages",
    "contracts/results.py": "labels in both languages; what a column means, for the reference",
    "contracts/tables.py": "labels in both languages; what a column means, for the reference",
    "engine/decide/plan.py": "its sentences stand in both languages",
    "engine/decide/leads.py": "its sentences stand in both languages",
    "engine/intake/cancellations.py": "its reasons stand in both languages",
    "engine/intake/match_evidence.py": "its evidence stands in both languages",
    "engine/intake/matching.py": "its evidence stands in both languages",
    "engine/intake/product_kinds.py": "its reasons stand in both languages",
    "engine/offer/reasons.py": "its sentences stand in both languages",
    "engine/understand/cleaned.py": "its findings stand in both languages",
    "engine/understand/lwp.py": "its explanations stand in both languages",
    "engine/understand/potential_words.py": "its sentences stand in both languages",
    "engine/understand/rehearsal.py": "its reasons stand in both languages",
    "engine/understand/statements.py": "what a statement computes, for readers of the code",
    "engine/understand/thresholds.py": "its explanations stand in both languages",
    "pipelines/demo.py": "its texts stand in both languages",
    "pipelines/presentation.py": "its texts stand in both languages",
    "pipelines/simulate.py": "its texts stand in both languages",
    "simulation/company.py": "its label stands in both languages",
    "simulation/maker/story.py": "what a customer is there for, for readers of the truth files",
    "web/config/settings.py": "settings",
    "web/core/backup/snapshot.py": "its statements",
    "web/core/backup/views.py": "its texts go through gettext",
    "web/core/jobs/worker.py": "the rest is written to the log",
    "web/config/story.py": "its texts stand in both languages",
    "web/config/worlds.py": "its names stand in both languages",
    "simulation/schools/story.py": "what a customer is there for, for readers of the truth files",
}
"""Modules of which only what they raise is held to the list, and why the rest is not."""
SPEAKS_BY_THE_LIST = ("web/config/", "web/core/backup/", "web/core/jobs/worker.py")
"""Parts of the web application that the command line meets."""
MONTHS = "jan feb mar apr jun jul aug sep oct nov dec"
NOT_SAID = {
    "engine/intake/dates.py": {f"{month} ": "names of months" for month in MONTHS.split()},
    "engine/intake/delimited.py": {"fields where the header has": "looked for in reasons"},
    "engine/intake/guessing.py": {"the family stands for it": "looked for in reasons"},
    "engine/intake/workbook.py": {
        "memory allocation": "looked for in errors",
        "failed to allocate": "looked for in errors",
    },
    "engine/intake/whole_file.py": dict.fromkeys(("no space left", "os error", "disk quota"), "looked for in errors"),
    "engine/measure/backtest.py": {"popular lately": "name of a method in the results"},
    "engine/store/disk.py": dict.fromkeys(
        ("no space", "os error", "disk quota", "permission denied", "read-only", "not permitted"),
        "looked for in errors",
    ),
    "web/config/processes.py": {"%s ended with code": "written to the log"},
    "web/config/warm.py": {"warming up %s": "written to the log"},
    "engine/store/upkeep.py": {"commit %d is published": "written to the log"},
    "pipelines/import_wizard.py": {"held back because line": "looked for in reasons"},
    "pipelines/upload_reading.py": {"memory allocation": "looked for in errors"},
    "pipelines/tune.py": {"甲 neighbours, half-life": "name of a method in the results"},
    "pipelines/wording.py": {"wording.ja.toml": "raised when the list itself is wrong"},
}
"""Texts nobody is told, by how they begin, and why."""
PIECES = {
    ", 1,234 names are not known yet": "1,234 customers were found by their name{}",
    "; only 1,234 of the values": "見出し「甲」{}",
    "name the header that holds it": (
        "甲: 甲 (甲) needs 甲 and no column of the file stands for it; {}. The file has: 甲"
    ),
}
"""Texts put together from pieces in several places: how one begins, and the whole."""
FILLED = {
    "stands for it; 甲. The file": "stands for it; name the header that holds it, or give a constant. The file",
    "of any product甲": "of any product before 甲",
    "are left甲": "are left before 甲",
}
"""Gaps whose content is a piece of the sentence."""
HEADLESS = re.compile(r"(is|has no year)\b")
"""A problem of a cell stands after its header and value."""
LEFT = re.compile(r"[A-Za-z]{3,}")
QUOTED = re.compile(
    r"\"[^\"]*\"|'[^']*'|`[^`]*`"  # values, names and commands
    r"|--[a-z-]+|[a-z0-9]+://+\S*"  # options, addresses
    r"|\b[A-Za-z0-9-]+(?:[_./][A-Za-z0-9_]+)+|utf-8-sig|\.[a-z]+\b"  # names of settings, columns and files
)
KEPT = frozenset(
    re.findall(
        r"\w+",
        """
        Nobishiro nobishiro CSV csv Excel Parquet PDF XML Web JSON TOML SELECT PostgreSQL Java ASCII BOM UTF utf EUC JIS
        Shift PATH YYYY zip gzip pip install pyspark spark duckdb sqlite postgresql true false list cross included excluded all
        verified signature tax threads top positions name mapping
        """,
    )
)
"""Words a Japanese reader expects as they are: products, formats, names of options and their values."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module but those of the web application that speak through gettext, whose catalogues are held complete by
    `scripts/write_messages.py --check`."""
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("web/") or name.startswith(SPEAKS_BY_THE_LIST):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def examples(node: ast.expr) -> list[str]:
    """The texts an expression can be, its gaps filled with samples."""
    if isinstance(node, ast.Constant):
        return [node.value.replace("{}", "甲")] if isinstance(node.value, str) else ["甲"]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in product(*(examples(value) for value in node.values))]
    if isinstance(node, ast.FormattedValue):
        if isinstance(node.value, ast.IfExp | ast.BoolOp) and node.conversion == -1:
            return examples(node.value)
        if node.conversion == ord("r"):
            return ["'甲'"]
        return ["1,234" if node.format_spec is not None else "甲"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return ["".join(parts) for parts in product(examples(node.left), examples(node.right))]
    if isinstance(node, ast.IfExp):
        return examples(node.body) + examples(node.orelse)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in examples(value)]
    return ["甲"]


def texts(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every English text a module raises, notes or gives as a reason, with its line."""
    errors_only = module in SAID_AS_ERROR_ONLY

    def walk(node: ast.AST, raised: bool) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.keyword) and node.arg in ("help", "metavar"):
            return
        if isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc).startswith("TypeError("):
            return  # a mistake of ours, no message
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("logger.", "_logger.", "_LOG.")):
            return
        if isinstance(node, ast.Raise) and node.exc is not None and "typer.Exit" not in ast.unparse(node.exc):
            raised = True
        is_text = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        if is_text or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and holds_text(node)):
            if raised or not errors_only:
                for text in examples(node):
                    if is_english(text, raised):
                        yield node.lineno, text
            return
        for child in ast.iter_child_nodes(node):
            yield from walk(child, raised)

    yield from walk(tree, False)


def holds_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.BinOp) and holds_text(side))
        for side in (node.left, node.right)
    )


def is_english(text: str, raised: bool) -> bool:
    """Two English words after each other: a sentence, or a piece of one; one word is enough for what is raised."""
    if raised and re.search(r"[a-z]{3,}\b", text) and " " in text.strip():
        return True
    return re.search(r"(?:^|[\s(])[a-z]{2,},? [a-z]{2,}", text) is not None


def is_said(module: str, text: str) -> bool:
    return not any(text.startswith(start) for start in NOT_SAID.get(module, ()))


def whole(text: str) -> str:
    """The text as a person meets it: a problem after its header and value, a piece within its sentence."""
    text = text.strip("\n")
    for gap, content in FILLED.items():
        text = text.replace(gap, content)
    if HEADLESS.match(text):
        return f'甲: "乙" {text}'
    for start, sentence in PIECES.items():
        if text.startswith(start):
            return sentence.format(text)
    return text


SPOKEN = [
    (f"{module}:{line}", text)
    for module, tree in modules()
    for line, text in texts(module, tree)
    if is_said(module, text)
]
LISTED = tomllib.loads((ROOT / "pipelines" / "wording.ja.toml").read_text(encoding="utf-8"))
WORDS = LISTED["words"]


def left_in_english(japanese: str) -> list[str]:
    return [found for found in LEFT.findall(QUOTED.sub(" ", japanese)) if found not in KEPT]


@pytest.mark.parametrize(("place", "text"), SPOKEN, ids=[f"{place} {text[:40]}" for place, text in SPOKEN])
def test_everything_the_code_says_has_japanese(place: str, text: str) -> None:
    said = whole(text)
    japanese = WORDS.get(said) or in_japanese(said)
    assert japanese != said, f"{place}: add the Japanese of this text to pipelines/wording.ja.toml"
    assert left_in_english(japanese) == [], japanese


def test_every_gap_of_a_text_is_used_in_its_japanese() -> None:
    for english, japanese in LISTED["messages"].items():
        gaps = [set(re.findall(r"\{(\w+)\*?\}", text)) for text in (english, japanese)]
        assert gaps[0] == gaps[1], english


LISTED_BESIDES = {
    "Object contains unknown field": "msgspec, which reads the settings, says it",
    "Expected {wanted}, got {found}": "msgspec, which reads the settings, says it",
    "{encoding}: line {line} (byte {byte})": "how a failure of decoding shows itself within an error",
    "Say so with the delimiter option": "the end of an error",
    "Replace it by a comma": "the end of an error",
    "{path}: no sales of any product are left;": "without a day",
    "{path}: there are no sales of any product;": "without a day",
}
"""Messages that reading the code does not find by themselves, by how they begin, and why they are listed."""


def test_every_exception_is_still_needed() -> None:
    found = {module: [text for _, text in texts(module, tree)] for module, tree in modules()}
    assert set(SAID_AS_ERROR_ONLY) <= set(found)
    for module, starts in NOT_SAID.items():
        for start in starts:
            assert any(text.startswith(start) for text in found[module]), (module, start)
    spoken = [text for _, text in SPOKEN]
    for start in PIECES:
        assert any(text.startswith(start) for text in spoken), start
    for gap in FILLED:
        assert any(gap in text for text in spoken), gap


def test_nothing_is_listed_that_the_code_no_longer_says() -> None:
    spoken = {whole(text) for _, text in SPOKEN}
    stale = []
    for english in LISTED["messages"]:
        pattern = ".+".join(re.escape(piece) for piece in re.split(r"\{\w+\*?\}", english))
        if not english.startswith(tuple(LISTED_BESIDES)) and not any(re.fullmatch(pattern, text) for text in spoken):
            stale.append(english)
    assert stale == []


@pytest.mark.parametrize(
    ("said", "japanese"),
    [
        ('売上日: "2025/13/01" is not a date; use YYYY-MM-DD', '売上日: "2025/13/01" は日付として読めません。YYYY-MM-DD の形に直してください'),
        (
            '売上日: "a / b" is not a date; use YYYY-MM-DD / 数量: "x" is not a whole number; use digits only',
            '売上日: "a / b" は日付として読めません。YYYY-MM-DD の形に直してください / 数量: "x" は整数ではありません。小数点のない数字に直してください',
        ),
        ("customers: 郵便番号: leading zeros of a postal code restored (3 different values)", "customers: 郵便番号: 郵便番号の先頭の 0 を補いました(3種類の値)"),
        ("見出し「額」; only 50% of the values read as money", "見出し「額」。ただし金額として読める値は 50% だけです"),
        ("a.csv: has no column '額'; it has 日 / 月, 品", "a.csv: 列 '額' はありません。ある列: 日 / 月, 品"),
        (
            "a.csv: no encoding reads it; first failures: utf-8: line 3 (byte 4) and 3 of 9 lines in all; cp932: line 2 (byte 9). "
            "Save it again as UTF-8, or name its encoding",
            "a.csv: どの文字コードでも読めません。最初に読めなかった所: utf-8: 3行目(4バイト目)、全 9行のうち 3行、cp932: 2行目(9バイト目)。"
            "UTF-8 で保存し直すか、文字コードを指定してください",
        ),
        ("settings.toml: Object contains unknown field `hours` - at `$.plan`; see docs/reference/settings.md for every key", "settings.toml: 知らない設定 `hours` があります(`$.plan`)。設定の一覧は docs/reference/settings.md にあります"),
        ("nothing we know / neither do we", "nothing we know / neither do we"),
        ("日本語の文", "日本語の文"),
        ("", ""),
    ],
)  # fmt: skip
def test_text_in_japanese_keeps_headers_and_values(said: str, japanese: str) -> None:
    assert in_japanese(said) == japanese
    assert word(said, "en") == said


def test_column_of_reasons_is_worded_and_empty_ones_stay_empty() -> None:
    frame = pl.DataFrame({"n": [1, 2, 3], "why": ['額: "x" is not a rate; use 0.35 or 35%', None, "who knows"]})
    worded = ['額: "x" は率として読めません。0.35 か 35% の形に直してください', None, "who knows"]
    assert word_column(frame, "why", "ja")["why"].to_list() == worded
    assert word_column(frame, "why", "en").equals(frame)


@given(
    st.text(st.characters(exclude_characters='"\x00', exclude_categories=["Cs"])),
    st.text(st.characters(exclude_characters='"\x00', exclude_categories=["Cs"]), min_size=1),
)
def test_value_and_header_come_through_unchanged(value: str, header: str) -> None:
    said = f'{header}: "{value}" is not a rate; use 0.35 or 35%'
    japanese = f'{header}: "{value}" は率として読めません。0.35 か 35% の形に直してください'
    assert in_japanese(said) == japanese
    assert word_column(pl.DataFrame({"why": [said]}), "why", "ja")["why"].to_list() == [japanese]


LEDGER = """得意先コード,得意先名,受注番号,商品コード,商品名,受注日,数量,金額
C1,山田商店,O1,P1,ネジ,2025-04-01,2,100
C1,山田商店,O2,P1,ネジ,2025/13/01,2,100
C2,鈴木商店,O3,P1,ネジ,2025-04-03,abc,100
C2,鈴木商店,O3,P2,板,2025-04-03,1,100
,,O4,P2,板
"""


def test_rejected_rows_and_notes_of_an_import_are_in_the_language_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "売上.csv"
    source.write_text(LEDGER, encoding="utf-8")
    at = datetime(2025, 5, 1)
    said = {}
    for language in ("ja", "en"):
        workspace = Workspace.open_or_plan(tmp_path / language)
        request = ImportRequest(str(source), rejected_to=tmp_path / f"{language}.csv", language=language)
        result = import_file(workspace, request, at)
        reasons = pl.read_csv(tmp_path / f"{language}.csv")["取り込めなかった理由"].to_list()
        said[language] = [*reasons, *result.report.notes, *result.guess.notes, *(c.why for c in result.columns)]
        assert len(reasons) == 4
    assert [text for text in said["ja"] if left_in_english(text)] == []
    assert (
        said["ja"][0]
        == '受注日: "2025/13/01" は日付として読めません。実在しない日か、後ろに余分な文字があります。YYYY-MM-DD の形に直してください'
    )
    assert said["ja"] == [in_japanese(text) for text in said["en"]]


@pytest.mark.parametrize(
    ("language", "options", "said"),
    [
        ("ja", (), "ファイル名とフォルダーを確かめてください"),
        ("en", (), "check the spelling and the folder"),
        ("en", ("--lang", "ja"), "ファイル名とフォルダーを確かめてください"),
        ("ja", ("--lang=en",), "check the spelling and the folder"),
    ],
)
def test_errors_of_the_command_line_are_in_the_language_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setenv("NOBISHIRO_LANG", language)
    call = ["nobishiro", "import", str(tmp_path / "x.csv"), "-w", str(tmp_path / "ws"), *options]
    monkeypatch.setattr("sys.argv", call)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 3
    assert said in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*call, "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    document = json.loads(capsys.readouterr().out)
    assert "check the spelling" in document["message"]
    assert "ファイル名とフォルダーを確かめてください" in document["message_ja"]
