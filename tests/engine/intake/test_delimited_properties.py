from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from nobishiro.engine.intake.sources import ReadOptions, read_source

LETTERS = "aZ0 ,;|\t\"'\n\r髙﨑㈱①株式会社サンプルﾀｶﾊｼ￥ー〜々ゞ"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp")


def _holds(encoding: str, text: str) -> bool:
    try:
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False


tables = st.integers(2, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.text(LETTERS, max_size=12), min_size=width, max_size=width), min_size=1, max_size=8
    )
)


@settings(max_examples=150, deadline=None)
@given(
    rows=tables,
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(("\n", "\r\n")),
)
def test_any_table_reads_back_the_same_with_the_line_of_each_row(
    rows: list[list[str]], encoding: str, delimiter: str, end: str
) -> None:
    rows = [["項目" + cell if index == 0 else cell for index, cell in enumerate(row)] for row in rows]
    header = [f"見出し{index}" for index in range(len(rows[0]))]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    lines = []
    for row in rows:
        lines.append(len(re.findall("\r\n|\r|\n", stream.getvalue())) + 1)
        writer.writerow(row)
    text = stream.getvalue()
    if not _holds(encoding, text):
        encoding = "utf-8"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(text.encode(encoding))
        table = read_source(path, ReadOptions(encoding=encoding, delimiter=delimiter, header_row=1, layout="list"))
    assert table.frame.columns == header
    assert table.rejected.height == 0
    assert [list(row) for row in table.frame.rows()] == [[cell or None for cell in row] for row in rows]
    assert table.lines.to_list() == lines


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
def test_whatever_the_bytes_every_line_is_accounted_for_or_the_error_is_ours(data: bytes) -> None:
    from nobishiro.contracts.errors import NobishiroError

    with TemporaryDirectory() as folder:
        path = Path(folder) / "noise.csv"
        path.write_bytes(b"code,name\n1,A\n" + data)
        try:
            table = read_source(path, ReadOptions(delimiter=",", header_row=1, layout="list"))
        except NobishiroError:
            return
    assert table.frame.height == table.lines.len()
    seen = table.lines.to_list() + table.rejected["line"].to_list() + [row.line for row in table.skipped]
    assert len(seen) == len(set(seen))
