from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from nobishiro.contracts.errors import EncodingUnknown, FileNotUsable, UnknownName
from nobishiro.engine.intake.encoding import normal_encoding
from nobishiro.engine.intake.sources import ReadOptions, detect_encoding, read_source

TEXT = "得意先コード,得意先名,金額\r\n00123,髙﨑商店㈱,1200\r\n00124,①番館,3400\r\n"
PLAIN = "得意先コード,得意先名,金額\r\n00123,高崎商店,1200\r\n00124,一番館テクノ,3400\r\n"


@pytest.mark.parametrize(
    ("encoding", "bom", "expected"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("cp932", b"", "cp932"),
    ],
)
def test_every_encoding_is_found_and_reads_the_characters_of_names(
    tmp_path: Path, encoding: str, bom: bytes, expected: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(bom + TEXT.encode(encoding))
    assert detect_encoding(path).encoding == expected
    table = read_source(path)
    assert table.guess.encoding == expected
    assert table.frame.columns == ["得意先コード", "得意先名", "金額"]
    assert table.frame.rows() == [("00123", "髙﨑商店㈱", "1200"), ("00124", "①番館", "3400")]
    assert table.lines.to_list() == [2, 3]


def test_euc_jp_is_read_when_neither_utf8_nor_cp932_fits(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(PLAIN.encode("euc_jp"))
    table = read_source(path)
    assert table.guess.encoding == "euc_jp"
    assert table.frame["得意先名"].to_list() == ["高崎商店", "一番館テクノ"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("顧客コード,顧客名,売上金額\n1,山田商店,100\n", ("1", "山田商店", "100")),
        ("コード,商品\n1,センサ\n", ("1", "センサ")),
    ],
)
def test_tiny_euc_jp_that_cp932_would_show_as_half_width_katakana_is_euc_jp(
    tmp_path: Path, text: str, row: tuple[str, ...]
) -> None:
    assert text.encode("euc_jp").decode("cp932") != text  # CP932 reads it without complaint
    path = tmp_path / "tiny.csv"
    path.write_bytes(text.encode("euc_jp"))
    assert detect_encoding(path).encoding == "euc_jp"
    assert read_source(path).frame.rows() == [row]


def test_real_half_width_katakana_stays_cp932(tmp_path: Path) -> None:
    text = "ｺｰﾄﾞ,ﾒｲｼﾞｮｳ\n1,ﾀｶﾊｼｼｮｳﾃﾝ\n2,ﾊﾞﾝﾄﾞｳ\n"
    path = tmp_path / "zengin.csv"
    path.write_bytes(text.encode("cp932"))
    assert detect_encoding(path).encoding == "cp932"
    assert read_source(path).frame.rows() == [("1", "ﾀｶﾊｼｼｮｳﾃﾝ"), ("2", "ﾊﾞﾝﾄﾞｳ")]


def test_japanese_only_far_below_an_ascii_head_is_still_found(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    rows = "".join(f"{number},abcdefghijklmnopqrstuvwxyz\n" for number in range(60_000))
    path.write_bytes(("id,name\n" + rows + "x,髙島\n").encode("cp932"))
    table = read_source(path)
    assert table.guess.encoding == "cp932"
    assert table.frame.row(-1) == ("x", "髙島")
    assert table.lines[-1] == 60_002


def test_a_few_lines_in_another_encoding_are_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    lines = [f"{number:05d},株式会社サンプル{number}\n".encode() for number in range(300)]
    lines[149] = "00149,髙﨑商店\n".encode("cp932")
    path.write_bytes("コード,名称\n".encode() + b"".join(lines))
    table = read_source(path)
    assert table.guess.encoding == "utf-8"
    assert table.frame.height == 299
    assert table.rejected.select("line", "text").rows() == [(151, "00149,髙﨑商店")]
    assert "not readable as utf-8" in table.rejected["reason"][0]
    assert 151 not in table.lines


def test_half_one_encoding_half_another_is_an_error_that_says_where(tmp_path: Path) -> None:
    path = tmp_path / "halves.csv"
    path.write_bytes(
        ("コード,名称\n" + "1,株式会社サンプル\n" * 20).encode()
        + ("2,髙﨑あ商店\n" * 20).encode("cp932")
        + b"\xff,\xff\n"
    )
    with pytest.raises(EncodingUnknown, match=r"halves\.csv.*utf-8: line 22 .*cp932: line"):
        read_source(path)


def test_named_encoding_overrides_the_guess_and_shift_jis_means_cp932(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(TEXT.encode("cp932"))
    for name in ("Shift_JIS", "sjis", "MS932", "windows-31j", "CP932"):
        assert normal_encoding(name) == "cp932"
        assert read_source(path, ReadOptions(encoding=name)).frame["得意先名"][0] == "髙﨑商店㈱"


def test_named_encoding_that_does_not_fit_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(TEXT.encode("cp932"))
    with pytest.raises(EncodingUnknown, match="utf-8: line 1"):
        read_source(path, ReadOptions(encoding="utf-8"))


def test_unknown_encoding_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(TEXT, "utf-8")
    with pytest.raises(UnknownName, match="klingon"):
        read_source(path, ReadOptions(encoding="klingon"))


def test_binary_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4)
    with pytest.raises(FileNotUsable, match="binary"):
        read_source(path)


def test_characters_cut_by_a_block_boundary_survive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nobishiro.engine.intake.encoding.BLOCK_BYTES", 7)
    for encoding, bom in (("utf-8", b""), ("cp932", b""), ("utf-16-le", codecs.BOM_UTF16_LE)):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(bom + TEXT.encode(encoding))
        table = read_source(path, ReadOptions(delimiter=",", header_row=1))
        assert table.frame["得意先名"].to_list() == ["髙﨑商店㈱", "①番館"]
        assert table.lines.to_list() == [2, 3]


def test_utf8_lines_in_a_cp932_file_are_never_read_as_nonsense(tmp_path: Path) -> None:
    """CP932 decodes them: 株式会社 would become 譬ｪ蠑丈ｼ夂､ｾ."""
    lines = [f"{n:05d},株式会社山田商店{n},100\r\n" for n in range(300)]
    header = "得意先コード,得意先名,金額\r\n".encode("cp932")
    path = tmp_path / "mixed.csv"
    path.write_bytes(header + "".join(lines[:10]).encode("cp932") + "".join(lines[10:20]).encode("utf-8"))
    with pytest.raises(EncodingUnknown, match=r"cp932: line 12 .* 10 of 21 lines"):
        read_source(path)
    few = "".join(lines[:299]).encode("cp932") + lines[299].encode("utf-8")
    path.write_bytes(header + few)
    table = read_source(path)
    assert table.frame.height == 299
    assert table.rejected.rows() == [(301, "00299,株式会社山田商店299,100", table.rejected["reason"][0])]
    assert "not readable as cp932" in table.rejected["reason"][0]
