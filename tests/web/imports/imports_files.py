"""Files the tests of the wizard bring in."""

import io

import xlsxwriter

SALES = (
    "伝票番号,売上日,得意先コード,得意先名,商品コード,商品名,数量,金額\r\n"
    "S001,2025/04/01,000123,東和食品機械㈱,P01,センサ髙感度,2,20000\r\n"
    "S001,2025/04/01,000123,東和食品機械㈱,P02,ケーブル,1,1500\r\n"
    "S002,2025/05/12,000124,北陸精工,P01,センサ髙感度,1,10000\r\n"
)


def workbook(rows: list[list[object]], name: str = "Sheet1", **more: list[list[object]]) -> bytes:
    """An .xlsx with the rows on its first sheet and others on further ones."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    for title, listed in {name: rows, **more}.items():
        sheet = book.add_worksheet(title)
        for at, row in enumerate(listed):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(at, column, cell)
    book.close()
    return content.getvalue()
