"""記録: who did what, to be narrowed down and taken out."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

import nobishiro.web
from nobishiro.web.core.audit import record
from nobishiro.web.core.audit_words import VERBS
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import User

SignedIn = Callable[[Role], Client]
Person = Callable[[Role], User]


@pytest.mark.django_db
def test_entries_are_found_by_who_what_and_when(
    signed_in: SignedIn, person: Person, site_workspace: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rep = person(Role.REP)
    for n in range(150):
        record(rep, "fact.add", f"customer:{n:06d}", {"fact": "budget"})
    record(rep, "override.set", "customer:000001")
    old = record(person(Role.MANAGER), "override.set", "customer:000002")
    AuditEntry.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=3))
    client = signed_in(Role.ADMINISTRATOR)
    with django_assert_max_num_queries(15):
        page = client.get("/audit/").content.decode()
    assert "事実を入力した" in page and page.count("<tr>") >= 100

    def subjects(query: str) -> list[str]:
        return re.findall(r"customer:\d+", client.get(f"/audit/?{query}").content.decode())

    assert subjects("verb=override.set") == ["customer:000002", "customer:000001"]
    assert subjects("verb=override.set&q=manager") == ["customer:000002"]
    assert subjects("q=000149") == ["customer:000149"]
    today = f"{timezone.localdate():%Y-%m-%d}"
    assert subjects(f"verb=override.set&at_from={today}") == ["customer:000001"]
    yesterday = f"{timezone.localdate() - timedelta(days=1):%Y-%m-%d}"
    assert subjects(f"verb=override.set&at_to={yesterday}") == ["customer:000002"]


@pytest.mark.django_db
def test_file_is_safe_from_formulas_and_is_an_entry_itself(
    signed_in: SignedIn, person: Person, site_workspace: Path
) -> None:
    record(person(Role.REP), "fact.add", "=cmd|'/C calc'!A0", {"value": "+1"})
    client = signed_in(Role.ADMINISTRATOR)
    answer = client.get("/audit/?out=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    line = next(line for line in text.splitlines() if "cmd|" in line)
    assert not re.search(r'(^|,)"?[=+@-]', line)
    exported = AuditEntry.objects.filter(verb="list.export").get()
    assert exported.actor_id == person(Role.ADMINISTRATOR).pk and exported.subject == "list:audit"
    assert b"".join(client.get("/audit/?out=xlsx").streaming_content).startswith(b"PK")


@pytest.mark.django_db
def test_denials_are_counted_in_the_sentence(signed_in: SignedIn, site_workspace: Path) -> None:
    signed_in(Role.REP).get("/audit/")
    page = signed_in(Role.ADMINISTRATOR).get("/audit/").content.decode()
    assert "権限のないページを開こうとしたことが 1 回" in page
    assert "権限がなく断られた" in page


def written_verbs() -> Iterator[str]:
    """The second argument of every `record(…)`, where it is a plain text."""
    for path in Path(nobishiro.web.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("record", "audit.record")
                and len(node.args) > 1
            ):
                yield from texts_of(node.args[1])


def texts_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from texts_of(node.body)
        yield from texts_of(node.orelse)


def test_every_verb_the_code_writes_has_words() -> None:
    written = set(written_verbs())
    assert len(written) > 10
    assert sorted(written - VERBS.keys()) == []
