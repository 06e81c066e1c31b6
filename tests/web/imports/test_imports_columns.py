"""What each column is: guessed, chosen, kept; what is missing and what is assumed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from imports_files import SALES, workbook

from nobishiro.engine.workspace import Workspace
from nobishiro.pipelines.export_tables import export_tables
from nobishiro.pipelines.import_mapping import show_mapping
from nobishiro.pipelines.import_templates import TEMPLATES, write_template
from nobishiro.web.imports.models import ImportDraft

Bring = Callable[..., ImportDraft]
Commit = Callable[[ImportDraft], ImportDraft]
Work = Callable[[], int]


def _uses(draft: ImportDraft) -> dict[str, str]:
    shown = show_mapping(draft.place, draft.mapping, draft.origin)
    return {f"use-{at}": column.use for at, column in enumerate(shown.columns)}


def test_column_nobody_can_guess_is_asked_for_and_said(
    admin: Client, bring: Bring, commit: Commit, work_off: Work, site_workspace: Path
) -> None:
    text = "番号X,いつ,だれ,なに,いくら\r\nS1,2025/04/01,A01,P01,1000\r\nS2,2025/05/01,A02,P02,2000\r\n"
    draft = bring(text)
    page = admin.get(f"/imports/{draft.pk}/").content.decode()
    assert "おまかせで取り込む" not in page
    admin.post(f"/imports/{draft.pk}/mapping/", {"table": "order_lines"})
    work_off()
    said = dict(
        zip(
            [f"use-{n}" for n in range(5)],
            ["order_id", "ordered_at", "customer_id", "product_id", "amount"],
            strict=True,
        )
    )
    answer = admin.post(
        f"/imports/{draft.pk}/columns/",
        {**{name: f"order_lines.{column}" for name, column in said.items()}, "save_as": "基幹の売上"},
    )
    assert answer.status_code == 302
    work_off()
    draft.refresh_from_db()
    assert draft.state == "checked", draft.error
    commit(draft)
    assert Workspace.open(site_workspace).read("order_lines")["amount"].sort().to_list() == [1000, 2000]
    again = bring(text.replace("S1", "S3").replace("S2", "S4"))
    assert (again.origin, again.mapping_name, again.state) == ("saved", "基幹の売上", "checked")


def test_column_left_aside_is_not_imported(
    admin: Client, bring: Bring, commit: Commit, work_off: Work, site_workspace: Path
) -> None:
    draft = bring(SALES)
    uses = _uses(draft)
    assert uses["use-3"] == "customers.name"
    admin.post(f"/imports/{draft.pk}/columns/", {**uses, "use-3": "", "tax": "included"})
    work_off()
    draft.refresh_from_db()
    assert draft.origin == "hand"
    commit(draft)
    workspace = Workspace.open(site_workspace)
    assert workspace.read("customers").height == 0
    assert workspace.read("order_lines").height == 3


def test_columns_sent_back_as_shown_change_nothing(admin: Client, bring: Bring, work_off: Work) -> None:
    draft = bring(SALES)
    before = draft.mapping
    admin.post(f"/imports/{draft.pk}/columns/", _uses(draft))
    work_off()
    draft.refresh_from_db()
    assert draft.origin == "guess"
    assert draft.mapping == before


def test_name_stands_for_the_code_the_file_does_not_have(
    admin: Client, bring: Bring, commit: Commit, work_off: Work, site_workspace: Path
) -> None:
    draft = bring("伝票番号,売上日,得意先名,商品コード,金額\r\nS1,2025/04/01,東和食品機械,P01,1000\r\n")
    admin.post(f"/imports/{draft.pk}/columns/", {**_uses(draft), "tax": "excluded"})
    work_off()
    draft.refresh_from_db()
    commit(draft)
    assert Workspace.open(site_workspace).read("order_lines")["customer_id"].to_list() == ["東和食品機械"]
    assert Workspace.open(site_workspace).read("customers")["name"].to_list() == ["東和食品機械"]


def test_needed_value_can_be_the_same_for_all_rows(
    admin: Client, bring: Bring, commit: Commit, work_off: Work, site_workspace: Path
) -> None:
    draft = bring("顧客コード,訪問日,件名\r\n001,2025/04/01,打合せ\r\n")
    admin.post(f"/imports/{draft.pk}/mapping/", {"table": "touches"})
    work_off()
    draft.refresh_from_db()
    page = admin.get(f"/imports/{draft.pk}/columns/").content.decode()
    assert "constant-kind" in page
    admin.post(f"/imports/{draft.pk}/columns/", {**_uses(draft), "constant-kind": "visit"})
    work_off()
    draft.refresh_from_db()
    assert draft.state == "checked", draft.error
    commit(draft)
    assert Workspace.open(site_workspace).read("touches")["kind"].to_list() == ["visit"]


def test_use_that_no_column_has_is_refused(admin: Client, bring: Bring, work_off: Work) -> None:
    draft = bring(SALES)
    admin.post(f"/imports/{draft.pk}/columns/", {**_uses(draft), "use-0": "merges.evidence"})
    assert work_off() == 0
    draft.refresh_from_db()
    assert draft.state == "checked"


def test_preset_can_be_chosen_and_an_unknown_one_is_said(admin: Client, bring: Bring, work_off: Work) -> None:
    draft = bring(SALES)
    page = admin.get(f"/imports/{draft.pk}/columns/").content.decode()
    assert "弥生販売" in page
    admin.post(f"/imports/{draft.pk}/mapping/", {"named": "yayoi_sales"})
    work_off()
    draft.refresh_from_db()
    assert (draft.origin, draft.mapping_name) == ("preset", "yayoi_sales")
    answer = admin.post(f"/imports/{draft.pk}/mapping/", {"named": "nonsense"}, follow=True)
    assert "nonsense" in answer.content.decode()


def test_what_is_assumed_is_said(admin: Client, bring: Bring) -> None:
    page = admin.get(f"/imports/{bring(SALES).pk}/").content.decode()
    assert "接点データなし" in page
    assert "原価がありません" in page


def test_sales_by_customer_and_month_without_products_are_sales(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    cross = "2025年度 売上推移,,,\r\n得意先コード,得意先名,4月,5月\r\n001,東和,1000,2000\r\n002,北陸,500,\r\n"
    draft = bring(cross)
    assert "全商品" in admin.get(f"/imports/{draft.pk}/").content.decode()
    commit(draft)
    assert Workspace.open(site_workspace).read("order_lines")["amount"].sort().to_list() == [500, 1000, 2000]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_templates_can_be_fetched(admin: Client, template: object, ending: str) -> None:
    answer = admin.get(f"/imports/templates/{template.name}.{ending}")  # type: ignore[attr-defined]
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:2] == (b"PK" if ending == "xlsx" else b"\xef\xbb")  # type: ignore[attr-defined]


FILLED = {
    "customers": "001,東和食品機械,トウワ,法人,取引中,機械,120,1050014,東京都,港区芝1-2-3,03-1111-2222,",
    "products": "P01,センサ,センサ群,標準,1000,600,",
    "order_lines": "S1,2025/04/01,001,P01,2,2000,R1,東和食品機械,センサ,センサ群",
    "touches": "001,訪問,2025/04/01 10:00,60,定例,ご要望を伺う,R1",
    "tags": "001,what,large,工場が三つ",
    "facts": "001,total_spend,-,,18000000,2025/04/01,visit",
    "survey_answers": "001,満足度,nps,よい,9,2025/04/01",
    "car_dealer": "001,東和 太郎,2025/04/01,軽自動車,2019年,買い替え,来年春,安全装備",
    "fair": "001,東和食品機械,2025/04/01,画像検査,他社,人手不足,来期,300万円,製造部,9",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_filled_in_template_comes_in_without_a_question(
    bring: Bring, commit: Commit, site_workspace: Path, tmp_path: Path, template: object
) -> None:
    name, table = template.name, template.table  # type: ignore[attr-defined]
    out = tmp_path / "t.csv"
    write_template(name, out)
    draft = bring(out.read_bytes() + FILLED[name].encode() + b"\r\n", name="記入.csv")
    assert draft.state == "checked", draft.error
    assert '"rejected":0' in draft.check_result, draft.check_result
    commit(draft)
    rows = Workspace.open(site_workspace).read(table)
    assert rows.height == {"car_dealer": 5, "fair": 7}.get(name, 1)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_what_we_export_imports_again_and_changes_nothing(
    bring: Bring, commit: Commit, site_workspace: Path, tmp_path: Path, ending: str
) -> None:
    commit(bring(SALES))
    workspace = Workspace.open(site_workspace)
    for table in ("order_lines", "customers", "products"):
        out = tmp_path / f"{table}.{ending}"
        export_tables(workspace, table, out, encoding="utf-8-sig", headers="ja")
        draft = bring(out.read_bytes(), name=out.name)
        assert draft.state == "checked", draft.error
        assert draft.origin == "own"
        assert commit(draft).outcome["changed"] is False


def test_calendar_becomes_touches_of_known_customers(bring: Bring, commit: Commit, site_workspace: Path) -> None:
    commit(bring(SALES))
    calendar = (
        "件名,開始日,開始時刻,終了日,終了時刻,場所\r\n"
        "東和食品機械 訪問,2025/06/02,10:00,2025/06/02,11:30,\r\n歯医者,2025/06/03,9:00,2025/06/03,10:00,\r\n"
    )
    draft = bring(calendar, name="予定表.csv")
    assert draft.mapping_name == "outlook_calendar"
    commit(draft)
    touches = Workspace.open(site_workspace).read("touches")
    assert touches.select("customer_id", "minutes").rows() == [("000123", 90.0)]


def test_excel_with_leading_zeros_keeps_them(bring: Bring, commit: Commit, site_workspace: Path) -> None:
    draft = bring(workbook([["顧客コード", "顧客名"], ["000123", "東和"]]), name="顧客.xlsx")
    commit(draft)
    assert Workspace.open(site_workspace).read("customers")["customer_id"].to_list() == ["000123"]
