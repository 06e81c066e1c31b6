from __future__ import annotations

import datetime as dt
import gzip
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import polars as pl
import pytest

from nobishiro.contracts.errors import BadInput, FileNotUsable, FileTooLarge
from nobishiro.engine.intake.sources import list_sheets, read_source
from nobishiro.engine.settings import ImportSettings

ORDERS = "code,name,amount\n1,A,10\n2,B,20\n"


def test_parquet_keeps_its_columns_and_types(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    frame = pl.DataFrame(
        {"customer_id": ["001", "002"], "ordered_at": [dt.date(2025, 4, 1), None], "amount": [1.5, 2.0]}
    )
    frame.write_parquet(path)
    table = read_source(path)
    assert table.frame.equals(frame)
    assert table.frame.schema == frame.schema
    assert table.lines.to_list() == [1, 2]
    assert table.guess.kind == "parquet"


def test_parquet_cut_off_without_rows_or_too_wide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pl.DataFrame({"a": [1], "b": [2]}).write_parquet(path)
    with pytest.raises(FileTooLarge, match="2 columns"):
        read_source(path, settings=ImportSettings(max_columns=1))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileNotUsable, match="Parquet"):
        read_source(path)
    pl.DataFrame(schema={"a": pl.Int64}).write_parquet(path)
    with pytest.raises(FileNotUsable, match="no rows"):
        read_source(path)
    path.write_text(ORDERS)
    with pytest.raises(FileNotUsable, match="no Parquet file"):
        read_source(path)


def test_text_named_xlsx_is_read_as_csv_and_said(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_text(ORDERS)
    table = read_source(path)
    assert table.guess.kind == "csv"
    assert table.frame.height == 2
    assert table.guess.notes[0] == "named .xlsx, but it is plain text: read as CSV"


def test_workbook_named_csv_is_read_as_excel_and_said(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["code", "name"])
    workbook.active.append(["1", "A"])
    path = tmp_path / "orders.csv"
    workbook.save(path)
    table = read_source(path)
    assert table.guess.kind == "excel"
    assert "Excel workbook" in table.guess.notes[0]
    assert table.frame.rows() == [("1", "A")]


@pytest.mark.parametrize(
    "start", ["<html><body><table>", "<!DOCTYPE html>\n<html>", "  <TABLE border=1>", '<?xml version="1.0"?>']
)
def test_a_web_page_named_xls_is_refused_with_what_to_do(tmp_path: Path, start: str) -> None:
    path = tmp_path / "report.xls"
    path.write_text(start + "<tr><td>1</td></tr>")
    with pytest.raises(FileNotUsable, match=r"web page or XML.*save it as"):
        read_source(path)


def test_other_archives_and_documents_are_named(tmp_path: Path) -> None:
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(ORDERS.encode()))
    with pytest.raises(FileNotUsable, match="gzip"):
        read_source(tmp_path / "orders.csv.gz")
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("orders.csv", ORDERS)
    with pytest.raises(FileNotUsable, match=r"zip archive \(orders\.csv"):
        read_source(tmp_path / "orders.zip")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7\n...")
    with pytest.raises(FileNotUsable, match="PDF"):
        read_source(tmp_path / "report.pdf")


def test_directory_missing_and_empty_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotUsable, match="directory"):
        read_source(tmp_path)
    with pytest.raises(FileNotUsable, match="does not exist"):
        read_source(tmp_path / "none.csv")
    (tmp_path / "empty.xlsx").touch()
    with pytest.raises(FileNotUsable, match="empty"):
        read_source(tmp_path / "empty.xlsx")


@pytest.fixture
def somebody_else() -> Iterator[Path]:
    """A folder everybody may enter, while the process is not root (root may read everything)."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)


def test_a_file_without_permission_is_refused(somebody_else: Path) -> None:
    path = somebody_else / "secret.csv"
    path.write_text(ORDERS)
    path.chmod(0)
    with pytest.raises(FileNotUsable, match="may not be read by this user"):
        read_source(path)


def test_a_folder_without_permission_is_refused(somebody_else: Path) -> None:
    folder = somebody_else / "closed"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    folder.chmod(0)
    try:
        with pytest.raises(FileNotUsable, match="cannot be reached"):
            read_source(folder / "orders.csv")
    finally:
        folder.chmod(0o700)


def test_sheets_of_a_csv_are_none(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    assert list_sheets(path) == ()


def test_progress_is_reported_up_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    seen: list[tuple[str, int, int]] = []
    read_source(path, progress=lambda what, done, total: seen.append((what, done, total)))
    assert seen[-1] == ("reading orders.csv", path.stat().st_size, path.stat().st_size)


def test_every_refusal_is_bad_input_with_exit_code_three(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_source(tmp_path / "none.csv")
    assert caught.value.exit_code == 3
