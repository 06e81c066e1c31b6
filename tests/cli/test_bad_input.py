"""Bad input ends in a clear error or a rejected row with its reason; nothing is lost, nothing half written."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from cli_desk import HEADER, Desk, ledger, line

GOOD = tuple(line(number, number % 3, number % 5) for number in range(1, 31))


def rejected_rows(path: Path) -> list[str]:
    """Lines below the header of a file of rejected rows."""
    return path.read_text("utf-8-sig").splitlines()[1:]


def test_empty_file(desk: Desk) -> None:
    said = desk.refused(desk.write("empty.csv", b""))
    assert said.code == 3
    assert "empty.csv is empty (0 bytes); export it again" in said.err


def test_file_of_blank_lines(desk: Desk) -> None:
    assert desk.refused(desk.write("blank.csv", "\n\n  \n")).code == 3


def test_header_only(desk: Desk) -> None:
    said = desk.refused(desk.write("header.csv", HEADER + "\n"))
    assert said.code == 3
    assert "header.csv holds a header (line 1: 得意先コード" in said.err and "no rows below it" in said.err


def test_wrong_delimiter(desk: Desk) -> None:
    path = desk.write("semicolons.csv", ledger(*GOOD).replace(",", ";"))
    said = desk.refused(path, "--delimiter", ",")
    assert said.code == 3
    assert 'with the delimiter "comma" there is one column; "semicolon" gives 8' in said.err
    assert desk.imported(path)["tables"]["order_lines"]["new"] == 30
    assert desk.nobishiro("import", path, "-w", desk.workspace, "--delimiter", "ab").code == 2


@pytest.mark.parametrize(("first", "second"), [("cp932", "utf-8"), ("utf-8", "cp932")])
def test_mixed_encodings(desk: Desk, first: str, second: str) -> None:
    content = ledger(*GOOD[:15]).encode(first) + "\n".join(GOOD[15:]).encode(second)
    said = desk.refused(desk.write("mixed.csv", content))
    assert said.code == 3
    assert "no encoding reads it" in said.err and "line 17" in said.err and "Save it again as UTF-8" in said.err


@pytest.mark.parametrize(("most", "one"), [("cp932", "utf-8"), ("utf-8", "cp932")])
def test_one_line_in_another_encoding_is_a_rejected_row(desk: Desk, most: str, one: str) -> None:
    many = [line(number) for number in range(1, 201)]
    content = ledger(*many).encode(most) + line(201).encode(one) + b"\n"
    done = desk.imported(desk.write("mixed.csv", content))
    assert (done["tables"]["order_lines"]["new"], done["rejected"]) == (200, 1)
    assert "202" in rejected_rows(desk.path / "mixed.rejected.csv")[0]


def test_encoding_named_wrongly(desk: Desk) -> None:
    path = desk.write("sales.csv", ledger(*GOOD))
    assert desk.refused(path, "--encoding", "cp932").code == 3
    assert "cp932 (Shift_JIS)" in desk.refused(path, "--encoding", "klingon").err


def test_cell_of_ten_megabytes(desk: Desk) -> None:
    huge = 'C001,"' + "長" * 3_500_000 + '",O99999,P001,ネジ,2025-04-01,1,100'
    done = desk.imported(desk.write("cell.csv", ledger(*GOOD[:5], huge, *GOOD[5:])))
    assert (done["tables"]["order_lines"]["new"], done["rejected"]) == (30, 1)
    row = rejected_rows(desk.path / "cell.rejected.csv")[0]
    assert row.startswith("C001,長長") and ",O99999,P001,ネジ,2025-04-01,1,100,7," in row
    assert "too long" in row and len(row) < 10_000


def test_rows_that_claim_one_key_with_other_values(desk: Desk) -> None:
    path = desk.write(
        "customers.csv", "得意先コード,得意先名,電話番号\nC1,山田,03-1111-2222\nC1,鈴木,\nC2,佐藤,\nC2,佐藤,\n"
    )
    done = desk.imported(path)
    assert (done["tables"]["customers"]["new"], done["rejected"]) == (2, 1)
    assert desk.read("customers").select("customer_id", "name").rows() == [("C1", "山田"), ("C2", "佐藤")]
    assert rejected_rows(desk.path / "customers.rejected.csv") == [
        "C1,鈴木,,3,顧客コード: C1 stands on line 2 already with other values; keep one of the two"
    ]


def test_equal_order_lines_are_two_sales(desk: Desk) -> None:
    assert desk.imported(desk.write("sales.csv", ledger(line(1), line(1))))["tables"]["order_lines"]["new"] == 2


def test_negative_quantity_is_a_return_and_an_absurd_one_a_rejected_row(desk: Desk) -> None:
    rows = (*GOOD, line(31, quantity="-5"), line(32, quantity="99999999999"), line(33, quantity="沢山"))
    done = desk.imported(desk.write("sales.csv", ledger(*rows)))
    assert (done["tables"]["order_lines"]["new"], done["rejected"]) == (31, 2)
    absurd, words = rejected_rows(desk.path / "sales.rejected.csv")
    assert '""99999999999"" is beyond the largest quantity accepted' in absurd and ",33," in absurd
    assert '数量: ""沢山"" is not a number; use digits' in words and ",34," in words


def test_days_in_1900_and_2099(desk: Desk) -> None:
    rows = (*GOOD, line(31, day="1900-01-01"), line(32, day="2099-12-31"), line(33, day="2025/13/01"))
    done = desk.imported(desk.write("sales.csv", ledger(*rows)))
    assert (done["tables"]["order_lines"]["new"], done["rejected"]) == (30, 3)
    early, late, never = rejected_rows(desk.path / "sales.rejected.csv")
    assert '""1900-01-01"" is before 1950-01-01; correct the year' in early
    assert '""2099-12-31"" is after' in late and "correct the year" in late
    assert '""2025/13/01"" is not a date' in never and "YYYY-MM-DD" in never


def test_lines_of_unknown_products_and_customers_are_kept(desk: Desk) -> None:
    desk.imported(desk.write("products.csv", "商品コード,商品名\nP1,ネジ\n"), "--table", "products")
    desk.imported(desk.write("customers.csv", "得意先コード,得意先名\nC1,山田\n"), "--table", "customers")
    rows = "得意先コード,受注番号,商品コード,受注日,数量\nC1,O1,P1,2025-04-01,1\nC9,O2,P9,2025-04-01,1\n"
    done = desk.imported(desk.write("sales.csv", rows))
    assert (done["tables"]["order_lines"]["new"], done["rejected"]) == (2, 0)
    assert desk.read("order_lines")["product_id"].to_list() == ["P1", "P9"]


def test_zip_bomb_named_xlsx(desk: Desk) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(100):
                part.write(b"0" * 1_000_000)
    said = desk.refused(desk.write("bomb.xlsx", packed.getvalue()))
    assert said.code == 3
    assert "bomb.xlsx would expand" in said.err and "as a zip bomb does" in said.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(range(256)) * 20, "damaged archive"),
        (b"just a line of text\n", "no rows below it"),
        (b"\x1f\x8b\x08" + bytes(200), "compressed (gzip)"),
        (b"%PDF-1.7\n" + bytes(200), "is a PDF"),
        (b"\x00\x01\x02" * 500, "binary data"),
    ],
)
def test_file_that_is_no_workbook(desk: Desk, content: bytes, words: str) -> None:
    said = desk.refused(desk.write("sales.xlsx", content))
    assert said.code == 3
    assert "sales.xlsx" in said.err and words in said.err


def test_workbook_cut_off(desk: Desk) -> None:
    book = openpyxl.Workbook()
    for row in ledger(*GOOD).splitlines():
        book.active.append(row.split(","))
    book.save(desk.path / "whole.xlsx")
    whole = (desk.path / "whole.xlsx").read_bytes()
    said = desk.refused(desk.write("cut.xlsx", whole[: len(whole) // 2]))
    assert said.code == 3 and "cut.xlsx" in said.err


def test_directory(desk: Desk) -> None:
    (desk.path / "folder.csv").mkdir()
    said = desk.refused(desk.path / "folder.csv")
    assert said.code == 3 and "is a directory; name one file in it" in said.err


def test_missing_file(desk: Desk) -> None:
    said = desk.refused(desk.path / "nowhere.csv")
    assert said.code == 3 and "nowhere.csv does not exist; check the spelling" in said.err


def test_workspace_that_is_something_else(desk: Desk) -> None:
    path = desk.write("sales.csv", ledger(*GOOD))
    desk.write("taken", "x")
    said = desk.nobishiro("import", path, "-w", desk.path / "taken")
    assert (said.code, said.out) == (5, "") and "is a file; name a directory" in said.err
    (desk.path / "full").mkdir()
    (desk.path / "full" / "letter.txt").write_text("x")
    said = desk.nobishiro("import", path, "-w", desk.path / "full")
    assert said.code == 5 and "is not empty and no workspace" in said.err
    assert desk.files() == ["full", "sales.csv", "taken"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--table", "orders"), 2, "there is no table 'orders'; there are divisions, reps"),
        (("--mapping", "ours"), 2, "there is no mapping 'ours'"),
        (("--header-row", "99"), 3, "line 99"),
        (("--layout", "round"), 2, "use list or cross"),
        (("--column", "色=product_id"), 2, "has no column '色'; it has 得意先コード"),
        (("--column", "商品名=colour"), 2, "has no column colour"),
        (("--table", "usage"), 3, "nothing in it stands for metric (指標 / Metric)"),
    ],
)
def test_option_that_does_not_fit(desk: Desk, options: tuple[str, ...], code: int, words: str) -> None:
    said = desk.refused(desk.write("sales.csv", ledger(*GOOD)), *options)
    assert said.code == code
    assert words in said.err


def test_threshold_of_rejected_rows_fails_the_whole_import(desk: Desk) -> None:
    path = desk.write("sales.csv", ledger(*GOOD, line(31, quantity="x")))
    said = desk.refused(path, "--max-rejected", "0.01")
    assert said.code == 3
    assert "1 of 31 rows cannot be imported (3.2%, more than 1.0%), so nothing was imported" in said.err
    assert 'line 32: 数量: "x" is not a number' in said.err
    assert desk.nobishiro("import", path, "-w", desk.workspace, "--max-rejected", "7").code == 2
    assert desk.imported(path, "--max-rejected", "0.05")["rejected"] == 1


def test_rejected_rows_that_cannot_be_written_stop_the_import(desk: Desk) -> None:
    path = desk.write("sales.csv", ledger(*GOOD, line(31, quantity="x")))
    desk.imported(desk.write("first.csv", ledger(line(100))))
    said = desk.refused(path, "--rejected", desk.path / "no" / "such" / "folder.csv")
    assert said.code == 3 and "choose another place with --rejected" in said.err


def test_file_without_permission_to_read(desk: Desk) -> None:
    """As somebody who is not root, in a process of its own that has loaded everything before it gives its rights up."""
    good, path = desk.write("good.csv", ledger(*GOOD)), desk.write("secret.csv", ledger(*GOOD))
    path.chmod(0)
    for folder in (desk.path, *desk.path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o755)
    code = (
        "import os, sys\n"
        "from nobishiro.cli.main import app, main\n"
        f"app(['import', {str(good)!r}, '-w', {str(desk.path / 'other')!r}], standalone_mode=False)\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"sys.argv = ['nobishiro', 'import', {str(path)!r}, '-w', {str(desk.workspace)!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3, done.stderr
    assert "secret.csv may not be read by this user; ask its owner or copy it" in done.stderr
    assert not desk.workspace.exists()
