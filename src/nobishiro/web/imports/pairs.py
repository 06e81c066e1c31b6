"""Decisions about two codes that may be one customer. They are written to the store at once, or with their import."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from nobishiro.pipelines.customer_matches import (
    PAIR_COLUMNS,
    MatchDecision,
    read_customers,
    record_decisions,
    withdraw_decisions,
)
from nobishiro.pipelines.import_wizard import new_import_id
from nobishiro.web.core.audit import record
from nobishiro.web.core.company import workspace_path
from nobishiro.web.core.jobs.queue import enqueue
from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.core.models import Job
from nobishiro.web.imports.models import ImportDraft, MatchPair, Signature
from nobishiro.web.people.models import User

_Decision = MatchPair.Decision
_FIELDS: Final = (
    "code", "other_code", "score", "rule", "agrees_ja", "agrees_en", "differs_ja", "differs_en", "is_certain",
)  # fmt: skip
"""Of `MatchPair`, in the order of `PAIR_COLUMNS`."""
MOST: Final = 5_000
"""Pairs kept for people to judge, the likeliest first."""


def decide(*, by: User, pairs: Sequence[MatchPair], decision: str, at: datetime) -> int:
    """Say of pairs that they are the same, different, or to be asked later; how many were decided.

    Those of a draft are written with its import. The others are written to the store in one step, which its history
    lists and can undo; what was decided already is decided anew.
    """
    changed = [pair for pair in pairs if pair.decision != decision]
    if not changed:
        return 0
    of_store = [pair for pair in changed if pair.draft_id is None]
    with transaction.atomic():
        step = _write(by, of_store, decision, at) if of_store else ""
        for pair in changed:
            pair.decision, pair.decided_by_name, pair.decided_at = decision, by.name, at
            pair.import_id = step if decision in (_Decision.SAME, _Decision.DIFFERENT) else ""
        MatchPair.objects.bulk_update(changed, ["decision", "decided_by_name", "decided_at", "import_id"])
        record(by, "match.decide", step and f"import:{step}", {"decision": decision or "open", "pairs": len(changed)})
    return len(changed)


def _write(by: User, pairs: Sequence[MatchPair], decision: str, at: datetime) -> str:
    """The step of the store that the decision makes; empty when there is nothing to write."""
    local = timezone.localtime(at).replace(tzinfo=None)
    step = new_import_id(local)
    if decision in (_Decision.SAME, _Decision.DIFFERENT):
        record_decisions(workspace_path(), step, [decision_of(pair, by.name, decision) for pair in pairs], local)
    else:
        written = [(pair.code, pair.other_code) for pair in pairs if pair.import_id]
        if not written:
            return ""
        withdraw_decisions(workspace_path(), step, written, local)
    Signature.objects.create(import_id=step, by=by, by_name=by.name, at=at, detail={"pairs": len(pairs)})
    project_later(by)
    return step


def decision_of(pair: MatchPair, name: str, decision: str) -> MatchDecision:
    """What a page's decision says to the store."""
    is_same = decision == _Decision.SAME
    evidence = pair.agrees_ja if is_same else (pair.differs_ja or pair.agrees_ja)
    return MatchDecision(pair.code, pair.other_code, is_same, evidence or pair.rule, name)


def ask_scan(*, by: User) -> Job:
    """Let a job look through all customers for pairs; one at a time."""
    return enqueue("imports.scan", {"by": by.pk}, by=by, unique_key="imports.scan")


def keep_pairs(found: pl.DataFrame, draft: ImportDraft | None) -> int:
    """Take over the pairs of a dry run or a scan; decisions of before hold. How many are open."""
    with transaction.atomic():
        known = {
            (code, other): pair
            for code, other, pair in MatchPair.objects.filter(draft=draft).values_list("code", "other_code", "decision")
        }
        MatchPair.objects.filter(draft=draft, decision=_Decision.OPEN).delete()
        rows = found.select(PAIR_COLUMNS.names()).head(MOST).iter_rows()
        MatchPair.objects.bulk_create(
            [_pair(row, draft) for row in rows if not known.get((row[0], row[1]))],
            batch_size=500,
        )
        return MatchPair.objects.filter(draft=draft, decision=_Decision.OPEN, is_certain=False).count()


def release_pairs(draft: ImportDraft) -> None:
    """After the import the pairs are those of the store: what was decided is written, what is open can be judged later."""
    own = MatchPair.objects.filter(draft=draft)
    twin = MatchPair.objects.filter(draft=draft, code=OuterRef("code"), other_code=OuterRef("other_code"))
    MatchPair.objects.filter(draft=None).filter(Exists(twin)).delete()
    own.filter(is_certain=True, decision=_Decision.OPEN).update(decision=_Decision.SAME, import_id=draft.import_id)
    own.filter(decision__in=(_Decision.SAME, _Decision.DIFFERENT)).update(import_id=draft.import_id)
    own.update(draft=None)


def forget_pairs(import_id: str) -> None:
    """The step was undone: what it decided is found again by the next scan, and pairs of customers that went are gone."""
    of_store = MatchPair.objects.filter(draft=None)
    of_store.filter(import_id=import_id).delete()
    waiting = of_store.filter(decision__in=(_Decision.OPEN, _Decision.LATER))
    codes = {code for pair in waiting.values_list("code", "other_code") for code in pair}
    there = set(read_customers(workspace_path(), sorted(codes))["customer_id"]) if codes else set()
    gone = [pk for pk, one, other in waiting.values_list("pk", "code", "other_code") if not {one, other} <= there]
    for start in range(0, len(gone), 500):
        MatchPair.objects.filter(pk__in=gone[start : start + 500]).delete()


def project_later(by: User | None) -> Job | None:
    """Bring the lists up to date behind the pages; None where nothing does that."""
    return enqueue("project", {}, by=by, unique_key="project") if "project" in KINDS else None


def _pair(row: tuple[Any, ...], draft: ImportDraft | None) -> MatchPair:
    return MatchPair(**dict(zip(_FIELDS, row, strict=True)), draft=draft)
