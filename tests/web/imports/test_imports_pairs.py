"""名寄せ: certain pairs listed, others judged, decisions kept with the import and taken back again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from nobishiro.engine.workspace import Workspace
from nobishiro.web.imports.models import ImportDraft, MatchPair

pytestmark = pytest.mark.slow  # starts processes of its own; `make test-faults` runs it

Bring = Callable[..., ImportDraft]
Commit = Callable[[ImportDraft], ImportDraft]
Work = Callable[[], int]

HEAD = "顧客コード,顧客名,住所,電話番号,法人番号\r\n"
KNOWN = (
    HEAD
    + "001,東和食品機械株式会社,東京都港区芝1-2-3,03-1111-2222,\r\n002,北陸精工,富山県富山市本町5,076-111-1111,\r\n"
)
CERTAIN = HEAD + "901,㈱東和食品機械,東京都港区芝1丁目2番3号,03-1111-2222,\r\n"
DOUBTFUL = HEAD + "902,北陸精工株式会社,石川県金沢市広岡1,076-222-2222,\r\n"


def _merges(workspace: Path) -> list[tuple[str, str, str, str]]:
    rows = Workspace.open(workspace).read("merges").sort("customer_id")
    return rows.select("customer_id", "into_customer_id", "evidence", "decided_by").rows()


def test_certain_pair_is_listed_and_merged_with_the_import(
    admin: Client, bring: Bring, commit: Commit, work_off: Work, site_workspace: Path
) -> None:
    commit(bring(KNOWN))
    draft = bring(CERTAIN)
    page = admin.get(f"/imports/{draft.pk}/same/?show=certain").content.decode()
    assert "901" in page
    assert "東和食品機械株式会社" in page
    done = commit(draft)
    (merge,) = _merges(site_workspace)
    assert {merge[0], merge[1]} == {"001", "901"}
    assert merge[3] == "rule"
    admin.post(f"/imports/steps/{done.import_id}/undo/")
    work_off()
    assert _merges(site_workspace) == []
    assert MatchPair.objects.count() == 0


def test_certain_pair_can_be_called_two_customers(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    commit(bring(KNOWN))
    draft = bring(CERTAIN)
    pair = MatchPair.objects.get(draft=draft, is_certain=True)
    admin.post(f"/imports/{draft.pk}/same/decide/", {"decide": f"different-{pair.pk}"})
    commit(draft)
    (merge,) = _merges(site_workspace)
    assert merge[2].startswith("different")
    assert merge[3] == "administrator さん"
    again = bring(CERTAIN.replace("03-1111-2222,", "03-1111-2222,").replace("901,㈱", "901,株式会社"))
    assert not MatchPair.objects.filter(draft=again, is_certain=True).exists()


def test_doubtful_pair_is_judged_before_the_import_and_written_with_it(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path
) -> None:
    commit(bring(KNOWN))
    draft = bring(DOUBTFUL)
    pair = MatchPair.objects.get(draft=draft, is_certain=False)
    page = admin.get(f"/imports/{draft.pk}/same/").content.decode()
    assert "富山県" in page
    assert "石川県" in page
    admin.post(f"/imports/{draft.pk}/same/decide/", {"decide": f"same-{pair.pk}"})
    assert _merges(site_workspace) == []
    commit(draft)
    (merge,) = _merges(site_workspace)
    assert {merge[0], merge[1]} == {"002", "902"}
    pair.refresh_from_db()
    assert (pair.draft_id, pair.decision, pair.import_id) == (None, "same", draft.import_id)


def test_pair_left_open_can_be_judged_later_and_the_decision_taken_back(
    admin: Client, bring: Bring, commit: Commit, site_workspace: Path, work_off: Work
) -> None:
    commit(bring(KNOWN))
    commit(bring(DOUBTFUL))
    assert "同じ顧客かもしれない組が 1 組" in admin.get("/imports/").content.decode()
    pair = MatchPair.objects.get(draft=None, is_certain=False)
    admin.post("/imports/same/decide/", {"decide": f"different-{pair.pk}"})
    (merge,) = _merges(site_workspace)
    assert merge[2].startswith("different")
    admin.post("/imports/same/scan/")
    work_off()
    assert not MatchPair.objects.filter(decision="").exists()  # it is not asked again
    admin.post("/imports/same/decide/", {"decide": f"open-{pair.pk}"})
    assert _merges(site_workspace) == []
    pair.refresh_from_db()
    assert pair.decision == ""


def test_whole_page_can_be_decided_at_once(admin: Client, bring: Bring, commit: Commit, site_workspace: Path) -> None:
    commit(bring(KNOWN))
    commit(bring(DOUBTFUL))
    pair = MatchPair.objects.get(draft=None)
    admin.post("/imports/same/decide/", {"all": "later", "pair": [str(pair.pk)]})
    pair.refresh_from_db()
    assert pair.decision == "later"
    assert _merges(site_workspace) == []


def test_scan_finds_pairs_among_customers_that_are_there(
    admin: Client, bring: Bring, commit: Commit, work_off: Work, site_workspace: Path
) -> None:
    commit(bring(KNOWN))
    commit(bring(DOUBTFUL))
    MatchPair.objects.all().delete()
    admin.post("/imports/same/scan/")
    work_off()
    assert MatchPair.objects.filter(draft=None, decision="").count() == 1
    admin.post("/imports/same/scan/")
    work_off()
    assert MatchPair.objects.filter(draft=None, decision="").count() == 1


def test_pairs_of_customers_that_went_with_an_undo_are_no_longer_asked(
    admin: Client, bring: Bring, commit: Commit, work_off: Work
) -> None:
    commit(bring(KNOWN))
    done = commit(bring(DOUBTFUL))
    assert MatchPair.objects.filter(draft=None, decision="").count() == 1
    admin.post(f"/imports/steps/{done.import_id}/undo/")
    work_off()
    assert not MatchPair.objects.exists()


def test_pair_of_another_draft_cannot_be_decided(admin: Client, bring: Bring, commit: Commit) -> None:
    commit(bring(KNOWN))
    draft = bring(DOUBTFUL)
    pair = MatchPair.objects.get(draft=draft)
    admin.post("/imports/same/decide/", {"decide": f"same-{pair.pk}"})
    pair.refresh_from_db()
    assert pair.decision == ""
