"""Every address of the site: who may open it, and what stands behind it. To be extended by hand with every new address.

`ACCESS` is the permission test's table: address name → roles. `OPEN` are those for whoever comes, `CLOSED` those of libraries
that lead nowhere here. `Objects` makes what the arguments of an address name; `QUERIES` what some need beside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from nobishiro.web.core.models import Job, SavedList
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Action, Customer, Fact, Family, Hypothesis, Outcome, Override, Touch
from nobishiro.web.imports.models import ImportDraft
from nobishiro.web.map.models import TagSheet
from nobishiro.web.people.models import CalendarDay, Division, Invitation, Rep, User
from nobishiro.web.referrals.models import Introduction, Question, Referral, Reward
from nobishiro.web.worklist.models import LuckyOrder

_M, _R, _K, _S, _A = Role.MANAGER, Role.REP, Role.MARKETER, Role.SHOP_MANAGER, Role.ADMINISTRATOR
EVERYBODY = frozenset({_M, _R, _K, _S, _A})
RECORDERS = frozenset({_M, _R, _S})
SALES = frozenset({_M, _R})
MANAGERS = frozenset({_M})
ADMINISTRATORS = frozenset({_A})
OPEN: frozenset[Role] = frozenset()
"""For whoever comes, signed in or not."""
CLOSED = None
"""There, because the library brings it, and led nowhere."""

ACCESS: dict[str, frozenset[Role] | None] = {
    "home": EVERYBODY,
    # core
    "core:language": OPEN,
    "core:health": OPEN,
    "core:help": EVERYBODY,
    "core:keep_list": EVERYBODY,
    "core:forget_list": EVERYBODY,
    "core:favour_list": EVERYBODY,
    "core:share_list": MANAGERS,
    "core:jobs": ADMINISTRATORS,
    "core:compute_anew": ADMINISTRATORS,
    "core:all_jobs": ADMINISTRATORS,
    "core:job": EVERYBODY,
    "core:job_progress": EVERYBODY,
    "core:job_stop": EVERYBODY,
    "core:job_retry": EVERYBODY,
    "core:run": ADMINISTRATORS,
    "core:backup_make": ADMINISTRATORS,
    "core:backup_take": ADMINISTRATORS,
    "core:backup_remove": ADMINISTRATORS,
    "core:audit": ADMINISTRATORS,
    # people
    "people:invitation": OPEN,
    "people:account": EVERYBODY,
    "people:account_settings": EVERYBODY,
    "people:end_other_sessions": EVERYBODY,
    "people:users": ADMINISTRATORS,
    "people:invite": ADMINISTRATORS,
    "people:invitation_withdraw": ADMINISTRATORS,
    "people:user": ADMINISTRATORS,
    "people:user_password_link": ADMINISTRATORS,
    "people:user_disable": ADMINISTRATORS,
    "people:user_enable": ADMINISTRATORS,
    "people:user_end_sessions": ADMINISTRATORS,
    "people:user_factors_off": ADMINISTRATORS,
    "people:staff": ADMINISTRATORS,
    "people:division": ADMINISTRATORS,
    "people:rep": ADMINISTRATORS,
    "people:assignments": ADMINISTRATORS,
    "people:assignment_add": ADMINISTRATORS,
    "people:assignment_end": ADMINISTRATORS,
    "people:hand_over": ADMINISTRATORS,
    "people:targets": ADMINISTRATORS,
    "people:targets_save": ADMINISTRATORS,
    "people:calendar": ADMINISTRATORS,
    "people:calendar_save": ADMINISTRATORS,
    "people:calendar_paste": ADMINISTRATORS,
    "people:calendar_remove": ADMINISTRATORS,
    "people:company": ADMINISTRATORS,
    "people:products": EVERYBODY,
    "people:product": EVERYBODY,
    # customers
    "customers:list": EVERYBODY,
    "customers:karte": EVERYBODY,
    "customers:sheet": EVERYBODY,
    "customers:timeline": EVERYBODY,
    "customers:family": EVERYBODY,
    "customers:details": EVERYBODY,
    "customers:trail": EVERYBODY,
    "customers:correct": RECORDERS,
    "customers:outcome": SALES,
    "customers:outcome_undo": SALES,
    "customers:fact": RECORDERS,
    "customers:fact_withdraw": RECORDERS,
    "customers:hypothesis": RECORDERS,
    "customers:hypothesis_end": RECORDERS,
    "customers:override": RECORDERS,
    "customers:override_withdraw": RECORDERS,
    "customers:relation": RECORDERS,
    "customers:touch": SALES,
    "customers:touch_withdraw": SALES,
    "customers:action": SALES,
    "customers:action_drop": SALES,
    # imports
    "imports:list": ADMINISTRATORS,
    "imports:new": ADMINISTRATORS,
    "imports:paste": ADMINISTRATORS,
    "imports:template": ADMINISTRATORS,
    "imports:step": ADMINISTRATORS,
    "imports:undo": ADMINISTRATORS,
    "imports:recompute": ADMINISTRATORS,
    "imports:pairs": ADMINISTRATORS,
    "imports:scan": ADMINISTRATORS,
    "imports:decide": ADMINISTRATORS,
    "imports:draft": ADMINISTRATORS,
    "imports:reading": ADMINISTRATORS,
    "imports:columns": ADMINISTRATORS,
    "imports:mapping": ADMINISTRATORS,
    "imports:check": ADMINISTRATORS,
    "imports:check_again": ADMINISTRATORS,
    "imports:rejected": ADMINISTRATORS,
    "imports:draft_pairs": ADMINISTRATORS,
    "imports:draft_decide": ADMINISTRATORS,
    "imports:commit": ADMINISTRATORS,
    "imports:discard": ADMINISTRATORS,
    # map
    "map:map": EVERYBODY,
    "map:points": EVERYBODY,
    "map:counts": EVERYBODY,
    "map:paper": EVERYBODY,
    "map:hours": MANAGERS,
    "map:panel": EVERYBODY,
    "map:override": RECORDERS,
    "map:lines": MANAGERS,
    "map:tolerance": MANAGERS,
    "map:act": SALES,
    "map:keep": EVERYBODY,
    "map:tags": RECORDERS,
    "map:tag_sheet": RECORDERS,
    "map:tag_apply": RECORDERS,
    "map:tag_drop": RECORDERS,
    # offers
    "offers:gaps": EVERYBODY,
    "offers:cell": EVERYBODY,
    "offers:cell_act": SALES,
    "offers:cell_learned": RECORDERS,
    "offers:together": EVERYBODY,
    "offers:buyers": EVERYBODY,
    # work list
    "worklist:today": SALES,
    "worklist:outcomes": SALES,
    "worklist:token": SALES,
    "worklist:worker": OPEN,
    "worklist:mail": SALES,
    "worklist:report": SALES,
    "worklist:report_add": SALES,
    "worklist:report_customers": SALES,
    "worklist:report_amend": SALES,
    "worklist:report_withdraw": SALES,
    "worklist:relisten": SALES,
    "worklist:relisten_answer": RECORDERS,
    "worklist:relisten_settle": RECORDERS,
    "worklist:relisten_later": SALES,
    "worklist:five": RECORDERS,
    "worklist:handover": SALES,
    "worklist:look_back": SALES,
    # referrals
    "referrals:list": SALES,
    "referrals:new": SALES,
    "referrals:detail": SALES,
    "referrals:accept": SALES,
    "referrals:return": SALES,
    "referrals:check": SALES,
    "referrals:close": SALES,
    "referrals:praise": SALES,
    "referrals:hear": SALES,
    "referrals:answer": SALES,
    "referrals:questions": MANAGERS,
    "referrals:ledger": SALES,
    "referrals:decide": MANAGERS,
    "referrals:board": SALES,
    "referrals:introductions": SALES,
    "referrals:ask": SALES,
    "referrals:move": SALES,
    # plays
    "plays:week": MANAGERS,
    "plays:plan": MANAGERS,
    "plays:processes": MANAGERS,
    "plays:process": MANAGERS,
    "plays:confirm": MANAGERS,
    # the sign-in library
    "account_login": OPEN,
    "account_logout": EVERYBODY,
    "account_inactive": OPEN,
    "account_reauthenticate": EVERYBODY,
    "account_change_password": EVERYBODY,
    "account_reset_password": OPEN,
    "account_reset_password_done": OPEN,
    "account_reset_password_from_key": OPEN,
    "account_reset_password_from_key_done": OPEN,
    "account_signup": CLOSED,
    "account_email": CLOSED,
    "account_email_verification_sent": CLOSED,
    "account_set_password": CLOSED,
    "account_confirm_login_code": CLOSED,
    "account_confirm_email": CLOSED,
    "mfa_index": EVERYBODY,
    "mfa_authenticate": OPEN,
    "mfa_reauthenticate": EVERYBODY,
    "mfa_activate_totp": EVERYBODY,
    "mfa_deactivate_totp": EVERYBODY,
    "mfa_view_recovery_codes": EVERYBODY,
    "mfa_generate_recovery_codes": EVERYBODY,
    "mfa_download_recovery_codes": EVERYBODY,
    "mfa_list_webauthn": EVERYBODY,
    "mfa_add_webauthn": EVERYBODY,
    "mfa_reauthenticate_webauthn": EVERYBODY,
    "mfa_remove_webauthn": EVERYBODY,
    "mfa_edit_webauthn": EVERYBODY,
}

QUERIES: dict[str, str] = {
    "referrals:new": "customer={customer}",
    "people:rep": "code=R1",
    "people:division": "code=D1",
}
"""What an address wants behind its question mark to show something."""

NOTHING_BEHIND: frozenset[str] = frozenset(
    {
        "core:job",  # another's job, to all but its owner and the administrator
        "core:job_progress",
        "core:run",  # a run's number: there is no run in an empty workspace
        "core:backup_take",
        "core:backup_remove",
        "imports:step",
        "imports:undo",
        "imports:columns",  # want a file that was read
        "imports:check",
        "imports:rejected",
        "imports:draft_pairs",
        "people:product",  # a product of the store
        "customers:family",
        "customers:details",
        "map:counts",  # wants two lines
        "offers:cell",  # a cell of the run
        "offers:buyers",
        "mfa_deactivate_totp",  # want a second factor
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_reauthenticate_webauthn",
        "mfa_remove_webauthn",
        "mfa_edit_webauthn",
    }
)
"""Addresses of which a GET may find nothing in the small world below; still asked, as everybody."""


@dataclass(frozen=True)
class Address:
    """One address: name, its arguments' names, the view."""

    name: str
    arguments: tuple[str, ...]
    view: Callable[..., object]


def addresses(
    resolver: URLResolver | None = None, namespace: str = "", before: tuple[str, ...] = ()
) -> Iterator[Address]:
    """Every address the resolver knows."""
    for entry in (resolver or get_resolver()).url_patterns:
        parameters = (*before, *entry.pattern.regex.groupindex)
        if isinstance(entry, URLPattern):
            yield Address(f"{namespace}{entry.name}", parameters, entry.callback)
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry, inner, parameters)


class Objects:
    """A small world in which every argument names something that exists and belongs to the person who asks."""

    def __init__(self, user: User, customer: Customer) -> None:
        self.user, self.customer = user, customer
        now, today = timezone.now(), date(2026, 11, 20)
        rep, division = Rep.objects.get(code="R1"), Division.objects.get(code="D1")
        Family.objects.create(code="F1", name="光電センサ", division=division)
        other, _made = Division.objects.get_or_create(code="D2", defaults={"name": "画像検査"})
        said = {"customer": customer, "set_by": user, "set_by_name": user.name, "set_at": now}
        self.fact = Fact.objects.create(**said, fact="chosen_reason", value="納期", learned_on=today)
        self.override = Override.objects.create(**said, measure="quadrant", value="A", reason="伸びている")
        self.hypothesis = Hypothesis.objects.create(
            customer=customer, family="F1", grounds="展示会", made_by=user, made_by_name=user.name, made_at=now
        )
        self.touch = Touch.objects.create(
            code="web-1", customer=customer, rep=rep, kind="visit", happened_at=now, minutes=30, entered_by=user
        )
        self.action = Action.objects.create(
            source_key="karte:1", source="karte", customer=customer, rep=rep, created_by=user
        )
        self.outcome = Outcome.objects.create(
            code="o1",
            customer=customer,
            family="F1",
            rep=rep,
            touch=self.touch,
            happened_at=now,
            result="open",
            entered_by=user,
        )
        self.lucky = LuckyOrder.objects.create(
            code="l1", customer=customer, run_id="1", ordered_on=today, amount=900_000, reason="inbound"
        )
        self.question = Question.objects.create(text_ja="検査の人手は", text_en="Hands for inspection", division=other)
        self.referral = Referral.objects.create(
            code="r1", customer=customer, family="F1", heard="人手不足", from_user=user, from_rep=rep, from_division=division,
            to_division=other, sent_at=now, accept_due=today + timedelta(days=4),
        )  # fmt: skip
        self.reward = Reward.objects.create(
            referral=self.referral, kind="referral", rep=rep, amount=Decimal(1000), earned_at=now
        )
        self.introduction = Introduction.objects.create(
            customer=customer, asked_by=user, rep=rep, asked_at=now, changed_at=now
        )
        self.sheet = TagSheet.objects.create(file_name="tags.xlsx", uploaded_by=user)
        self.draft = ImportDraft.objects.create(folder="f1", name="orders.csv", size=1, created_by=user)
        self.job = Job.objects.create(kind="recompute", run_after=now, created_by=user)
        self.list = SavedList.objects.create(owner=user, page="customers", name="B")
        self.day = CalendarDay.objects.create(day=today)
        self.invitation = Invitation.objects.create(
            purpose="new_user",
            token_hash="0" * 64,
            email="i@example.jp",
            role="rep",
            made_at=now,
            expires_at=now + timedelta(days=1),
        )
        self.factor = Authenticator.objects.create(
            user=user, type="recovery_codes", data={"seed": "00" * 20, "used_mask": 0}
        )
        RecoveryCodes(self.factor).mark_as_viewed()  # the library notes the first look at them

    def arguments(self, address: Address) -> dict[str, object]:
        """Values for the address's arguments. Raises `KeyError` naming what is missing here."""
        return {name: self._value(address.name, name) for name in address.arguments}

    def _value(self, name: str, argument: str) -> object:
        if argument != "pk":
            return {
                "outcome_pk": self.outcome.pk, "fact_pk": self.fact.pk, "hypothesis_pk": self.hypothesis.pk,
                "override_pk": self.override.pk, "touch_pk": self.touch.pk, "action_pk": self.action.pk, "family": "F1",
                "question": self.question.pk, "run_id": "000001", "import_id": "20261121-090000-abcdef", "ending": "csv",
                "key": "set-password", "uidb36": "x", "name": "hearing" if name == "plays:process" else "customers",
            }[argument]  # fmt: skip
        room, _colon, rest = name.partition(":")
        by_name = {
            "worklist:report_amend": self.touch, "worklist:report_withdraw": self.touch,
            "people:invitation_withdraw": self.invitation, "people:calendar_remove": self.day,
            "map:tag_sheet": self.sheet, "map:tag_apply": self.sheet, "map:tag_drop": self.sheet,
            "referrals:hear": self.customer, "referrals:answer": self.customer, "referrals:decide": self.reward,
            "referrals:move": self.introduction, "referrals:ask": self.customer,
            "mfa_remove_webauthn": self.factor, "mfa_edit_webauthn": self.factor,
        }.get(name)  # fmt: skip
        if by_name is not None:
            return by_name.pk
        if room == "worklist" and rest.startswith("relisten_"):
            return self.lucky.pk
        if room == "core":
            return self.list.pk if rest.endswith("_list") else self.job.pk
        by_room = {
            "customers": self.customer, "map": self.customer, "offers": self.customer, "imports": self.draft,
            "referrals": self.referral, "people": self.user,
        }  # fmt: skip
        return by_room[room].pk

    def url(self, address: Address) -> str:
        """The address with its arguments and its query."""
        query = QUERIES.get(address.name, "").format(customer=self.customer.pk)
        path = reverse(address.name, kwargs=self.arguments(address))
        return f"{path}?{query}" if query else path


def confirmed(client: Client, user: User) -> Client:
    """The same browser, its person having just said once more that it is them."""
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session.save()
    return client
