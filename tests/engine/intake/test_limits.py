from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge
from nobishiro.engine.intake.limits import MAX_ARCHIVE_ENTRIES, check_archive, check_file
from nobishiro.engine.intake.sources import read_source
from nobishiro.engine.settings import ImportSettings


def _bomb(path: Path, expanded: int) -> Path:
    workbook = openpyxl.Workbook()
    workbook.active.append(["コード", "金額"])
    workbook.save(path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("xl/worksheets/sheet9.xml", "w") as part,
    ):
        for _ in range(expanded // 1_000_000):
            part.write(b" " * 1_000_000)
    return path


def test_a_zip_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = _bomb(tmp_path / "bomb.xlsx", 60_000_000)
    with pytest.raises(FileTooLarge, match=r"bomb\.xlsx would expand .* zip bomb"):
        read_source(path)


def test_a_zip_bomb_is_refused_by_its_size(tmp_path: Path) -> None:
    path = _bomb(tmp_path / "bomb.xlsx", 20_000_000)
    with pytest.raises(FileTooLarge, match="more than the limit of 5,000,000"):
        read_source(path, settings=ImportSettings(max_archive_bytes=5_000_000))


def test_a_bomb_whose_directory_lies_about_its_size_is_refused_while_unpacking(tmp_path: Path) -> None:
    path = _bomb(tmp_path / "liar.xlsx", 60_000_000)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"xl/worksheets/sheet9.xml")  # in the central directory; its size stands 22 bytes before the name
    assert struct.unpack("<I", data[at - 22 : at - 18])[0] == 60_000_000
    data[at - 22 : at - 18] = struct.pack("<I", 1_000)
    path.write_bytes(bytes(data))
    with pytest.raises(FileTooLarge, match="zip bomb"):
        read_source(path)


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "parts.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(MAX_ARCHIVE_ENTRIES + 1):
            archive.writestr(f"p{number}", b"")
    with pytest.raises(FileTooLarge, match="parts"):
        check_archive(path, ImportSettings())


def test_an_ordinary_workbook_passes(tmp_path: Path) -> None:
    path = tmp_path / "ok.xlsx"
    workbook = openpyxl.Workbook()
    for _ in range(2_000):
        workbook.active.append(["同じ"] * 10)
    workbook.save(path)
    check_archive(path, ImportSettings())


def test_missing_empty_directory_and_too_large_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotUsable, match="does not exist"):
        check_file(tmp_path / "none.csv", ImportSettings())
    with pytest.raises(FileNotUsable, match="is a directory"):
        check_file(tmp_path, ImportSettings())
    (tmp_path / "empty.csv").touch()
    with pytest.raises(FileNotUsable, match=r"is empty \(0 bytes\)"):
        check_file(tmp_path / "empty.csv", ImportSettings())
    (tmp_path / "big.csv").write_bytes(b"x" * 100)
    with pytest.raises(FileTooLarge, match="100 bytes"):
        check_file(tmp_path / "big.csv", ImportSettings(max_file_bytes=99))
    assert check_file(tmp_path / "big.csv", ImportSettings()) == 100
