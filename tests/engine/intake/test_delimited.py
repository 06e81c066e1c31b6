from __future__ import annotations

from pathlib import Path

import pytest

from nobishiro.contracts.errors import FileNotUsable, FileTooLarge, LayoutUnknown, UnknownName
from nobishiro.engine.intake.sources import RawTable, ReadOptions, SkippedRow, read_source
from nobishiro.engine.settings import ImportSettings


def _read(
    tmp_path: Path, text: str, options: ReadOptions | None = None, settings: ImportSettings | None = None
) -> RawTable:
    path = tmp_path / "orders.csv"
    path.write_bytes(text.encode())
    return read_source(path, options or ReadOptions(), settings or ImportSettings())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_outside_quotes(tmp_path: Path, delimiter: str) -> None:
    rows = [["code", "name", "amount"], ["001", '"ACME CO., LTD.; a|b\tc"', "1200"], ["002", "B", "30"]]
    table = _read(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert table.guess.delimiter == delimiter
    assert table.frame.rows() == [("001", "ACME CO., LTD.; a|b\tc", "1200"), ("002", "B", "30")]


def test_decimal_commas_do_not_hide_the_semicolon(tmp_path: Path) -> None:
    table = _read(tmp_path, "code;price;weight\nA;1,5;2,5\nB;3,5;4,5\n")
    assert table.guess.delimiter == ";"
    assert table.frame.row(0) == ("A", "1,5", "2,5")


def test_line_numbers_are_the_editors_when_records_span_lines(tmp_path: Path) -> None:
    text = 'code,address,amount\n1,"東京都\n千代田区",10\n2,"a\r\nb\rc",20\n3,x,30\n'
    table = _read(tmp_path, text)
    assert table.lines.to_list() == [2, 4, 7]
    assert table.frame["address"].to_list() == ["東京都\n千代田区", "a\r\nb\rc", "x"]


def test_doubled_quotes_become_one(tmp_path: Path) -> None:
    assert _read(tmp_path, 'code,name\n1,"5"" パイプ"\n').frame.row(0) == ("1", '5" パイプ')


def test_quote_inside_an_unquoted_text_stays(tmp_path: Path) -> None:
    assert _read(tmp_path, 'code,name\n1,5" pipe\n2,b\n').frame.rows() == [("1", '5" pipe'), ("2", "b")]


def test_rows_with_too_many_or_too_few_fields_are_rejected_with_their_line(tmp_path: Path) -> None:
    table = _read(tmp_path, "code,name,amount\n1,ACME CO., LTD.,10\n2,B,20\n3,C\n4,D,40\n")
    assert table.frame["code"].to_list() == ["2", "4"]
    assert table.lines.to_list() == [3, 5]
    assert table.rejected.select("line", "text").rows() == [(2, "1,ACME CO., LTD.,10"), (4, "3,C")]
    assert "4 fields where the header has 3" in table.rejected["reason"][0]
    assert "2 fields where the header has 3" in table.rejected["reason"][1]


def test_a_quote_never_closed_costs_only_its_own_line(tmp_path: Path) -> None:
    table = _read(tmp_path, 'code,name\n1,"open\n2,B\n3,C\n')
    assert table.frame["code"].to_list() == ["2", "3"]
    assert table.rejected.select("line", "text").rows() == [(2, '1,"open')]
    assert "quote" in table.rejected["reason"][0]


def test_a_quote_closed_by_the_next_quoted_row_costs_only_its_own_line(tmp_path: Path) -> None:
    table = _read(tmp_path, 'code,name\n1,"open\n2,"B"\n3,"C"\n')
    assert table.frame.rows() == [("2", "B"), ("3", "C")]
    assert table.rejected["line"].to_list() == [2]


def test_a_delimiter_at_the_end_of_every_line_is_no_column(tmp_path: Path) -> None:
    table = _read(tmp_path, "code,name,\n1,A,\n2,B,\n")
    assert table.frame.columns == ["code", "name"]
    table = _read(tmp_path, "code,name\n1,A,\n2,B,\n")
    assert table.frame.rows() == [("1", "A"), ("2", "B")]
    table = _read(tmp_path, "code,name,\n1,A\n2,B\n")
    assert table.frame.rows() == [("1", "A"), ("2", "B")]


def test_old_mac_and_missing_last_line_ends_are_read(tmp_path: Path) -> None:
    table = _read(tmp_path, "code,name\r1,A\r2,B")
    assert table.frame.rows() == [("1", "A"), ("2", "B")]
    assert table.lines.to_list() == [2, 3]


def test_titles_blank_rows_repeated_headers_and_subtotals_are_skipped_and_listed(tmp_path: Path) -> None:
    text = (
        "売上明細表\n\n得意先,商品,数量,金額\nA商店,センサ,1,100\nA商店,画像,2,200\n,小計,,300\n"
        "得意先,商品,数量,金額\n,,,\nB商店,流量計,3,300\n合計,,,600\n"
    )
    table = _read(tmp_path, text)
    assert table.guess.header_row == 3
    assert table.frame["商品"].to_list() == ["センサ", "画像", "流量計"]
    assert table.lines.to_list() == [4, 5, 9]
    assert table.skipped == (
        SkippedRow(1, "title", "売上明細表"),
        SkippedRow(6, "subtotal", "小計 300"),
        SkippedRow(7, "repeated_header", "得意先 商品 数量 金額"),
        SkippedRow(8, "blank", ""),
        SkippedRow(10, "subtotal", "合計 600"),
    )
    assert table.rejected.height == 0


def test_companies_and_products_whose_name_ends_in_計_are_no_totals(tmp_path: Path) -> None:
    text = "得意先,商品,数量,備考\nのびしろ計,流量計,1,\n山田設計,温度計,2,x\n東京時計,圧力計,3,\n"
    assert _read(tmp_path, text).frame["得意先"].to_list() == ["のびしろ計", "山田設計", "東京時計"]


def test_ledger_that_prints_a_customer_once_a_group_is_filled_down_when_it_has_subtotals(tmp_path: Path) -> None:
    text = "得意先,日付,金額\nA商店,2025/04/01,10\n,2025/04/02,20\n小計,,30\nB商店,2025/04/03,40\n,2025/04/05,5\n"
    text += "小計,,45\n"
    table = _read(tmp_path, text)
    assert table.frame["得意先"].to_list() == ["A商店", "A商店", "B商店", "B商店"]
    assert any("filled down in 得意先" in note for note in table.guess.notes)


def test_empty_codes_of_an_ordinary_list_are_never_filled(tmp_path: Path) -> None:
    table = _read(tmp_path, "法人番号,名称,金額\n1234567890123,A,10\n,B,20\n,C,30\n")
    assert table.frame["法人番号"].to_list() == ["1234567890123", None, None]


def test_named_header_row_and_delimiter_override_the_guess(tmp_path: Path) -> None:
    text = "a,b,c\ncode,name,amount\n1,2,3\n"
    assert _read(tmp_path, text).guess.header_row == 1
    table = _read(tmp_path, text, ReadOptions(header_row=2))
    assert table.frame.columns == ["code", "name", "amount"]
    assert table.frame.rows() == [("1", "2", "3")]
    with pytest.raises(LayoutUnknown, match='comma" gives 3'):
        _read(tmp_path, text, ReadOptions(delimiter=";"))
    with pytest.raises(UnknownName, match="delimiter"):
        _read(tmp_path, text, ReadOptions(delimiter="||"))
    with pytest.raises(LayoutUnknown, match="line 77"):
        _read(tmp_path, text, ReadOptions(header_row=77))


def test_header_names_are_made_unique_and_missing_ones_named_by_place(tmp_path: Path) -> None:
    table = _read(tmp_path, "金額, 名称 ,金額,\n1,A,2,x\n")
    assert table.frame.columns == ["金額", "名称", "金額_2", "列4"]


def test_a_list_of_one_column_is_read_and_says_that_no_delimiter_was_found(tmp_path: Path) -> None:
    table = _read(tmp_path, "得意先名\nA商店\nB商店\n")
    assert table.frame.rows() == [("A商店",), ("B商店",)]
    assert any("one column only" in note for note in table.guess.notes)


def test_an_unusual_delimiter_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match=r'"\^" would give 3'):
        _read(tmp_path, "code^name^amount\n1^A^10\n2^B^20\n")
    table = _read(tmp_path, "code^name^amount\n1^A^10\n2^B^20\n", ReadOptions(delimiter="^"))
    assert table.frame.row(0) == ("1", "A", "10")


def test_header_only_says_that_there_are_no_rows(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match=r"orders\.csv holds a header .* and no rows"):
        _read(tmp_path, "code,name,amount\n")


def test_only_blank_lines_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((LayoutUnknown, FileNotUsable), match="blank"):
        _read(tmp_path, "\n\n , \n")


def test_data_without_a_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match="no header row"):
        _read(tmp_path, "00123,2025/04/01,1200\n00124,2025/04/02,3400\n")


def test_rows_that_hardly_ever_fit_the_header_are_an_error_not_a_file_of_rejects(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match="2 of 2 rows have another number of fields"):
        _read(tmp_path, "code,name,amount,day\n1;2\n3;4\n")
    baskets = "milk,bread,ham\n" + "tea,milk\nham\neggs,rice,salt,oil\n" * 5 + "a,b,c\n"
    with pytest.raises(LayoutUnknown, match="15 of 16 rows"):
        _read(tmp_path, baskets)
    told = _read(tmp_path, baskets, ReadOptions(header_row=1))
    assert (told.frame.height, told.rejected.height) == (1, 15)


def test_columns_set_apart_by_blanks_are_named(tmp_path: Path) -> None:
    with pytest.raises(LayoutUnknown, match="4 columns are set apart by blanks"):
        _read(tmp_path, " id date cds value\n 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n")


def test_a_cell_of_ten_megabytes_is_a_rejected_row(tmp_path: Path) -> None:
    big = "x" * 10_000_000
    table = _read(tmp_path, f'code,name\n1,A\n2,{big}\n3,"{big}"\n4,D\n')
    assert table.frame["code"].to_list() == ["1", "4"]
    assert table.lines.to_list() == [2, 5]
    assert table.rejected["line"].to_list() == [3, 4]
    # The cells that are not too long are kept, so that the row can be imported again once it is corrected.
    assert [text[:4] for text in table.rejected["text"]] == ["2,xx", "3,xx"]
    assert table.rejected["text"].str.len_chars().max() <= 2_010
    assert table.rejected["reason"].str.contains("too long").all()


def test_more_columns_than_the_limit_is_refused(tmp_path: Path) -> None:
    text = ",".join(f"c{i}" for i in range(30)) + "\n" + ",".join("x" * 30) + "\n"
    with pytest.raises(FileTooLarge, match="30 columns"):
        _read(tmp_path, text, settings=ImportSettings(max_columns=20))


def test_months_across_the_top_of_a_csv_are_unpivoted(tmp_path: Path) -> None:
    table = _read(
        tmp_path, "得意先,商品群,2025年4月,2025年5月,合計\nA商店,センサ,10,20,30\n,画像,,5,5\n合計,,10,25,35\n"
    )
    assert table.guess.layout == "cross"
    assert table.frame.rows() == [
        ("A商店", "センサ", "2025-04", "10"),
        ("A商店", "センサ", "2025-05", "20"),
        ("A商店", "画像", "2025-05", "5"),
    ]
    assert table.lines.to_list() == [2, 2, 3]


def test_layout_list_keeps_the_months_as_columns(tmp_path: Path) -> None:
    table = _read(tmp_path, "得意先,2025年4月,2025年5月\nA,1,2\n", ReadOptions(layout="list"))
    assert table.frame.columns == ["得意先", "2025年4月", "2025年5月"]
    with pytest.raises(LayoutUnknown, match="no column is headed by a month"):
        _read(tmp_path, "得意先,金額\nA,1\n", ReadOptions(layout="cross"))
    with pytest.raises(UnknownName, match="layout"):
        _read(tmp_path, "得意先,金額\nA,1\n", ReadOptions(layout="pivot"))


def test_records_cut_by_block_boundaries_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'code,name,amount\r\n1,"東京\r\n都",10\r\n2,"q""q",20\r\n\r\n3,x\r\n4,y,40\r\n'
    whole = _read(tmp_path, text)
    monkeypatch.setattr("nobishiro.engine.intake.encoding.BLOCK_BYTES", 5)
    path = tmp_path / "orders.csv"
    monkeypatch.setattr("nobishiro.engine.intake.delimited.HEAD_BYTES", 1 << 20)
    cut = read_source(path, ReadOptions(delimiter=",", header_row=1))
    assert cut.frame.equals(whole.frame)
    assert cut.lines.to_list() == whole.lines.to_list() == [2, 4, 7]
    assert cut.rejected.equals(whole.rejected)
