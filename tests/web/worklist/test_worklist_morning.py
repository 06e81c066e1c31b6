"""The morning mail: once a day, to those who asked for it, whatever the mail server does."""

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.test import Client
from django.urls import reverse

from nobishiro.web.core.jobs.registry import KINDS
from nobishiro.web.core.permissions import Role
from nobishiro.web.customers.models import Action, Customer
from nobishiro.web.customers.outcomes import record_outcome
from nobishiro.web.people.models import User
from nobishiro.web.worklist.models import MorningMail, MorningMailSent
from nobishiro.web.worklist.morning import MailNotSent, MorningReport, send_morning_mails

AT = datetime(2026, 11, 4, 8, tzinfo=ZoneInfo("Asia/Tokyo"))
HOLIDAY = datetime(2026, 11, 3, 8, tzinfo=ZoneInfo("Asia/Tokyo"))


class Broken(BaseEmailBackend):
    """A mail server with a fault."""

    at_opening: Exception | None = None
    at_sending: Exception | None = None

    def open(self) -> bool:
        if self.at_opening:
            raise self.at_opening
        return True

    def send_messages(self, email_messages: list[EmailMessage]) -> int:
        if self.at_sending:
            raise self.at_sending
        return len(email_messages)


@pytest.fixture
def broken(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> type[Broken]:
    monkeypatch.setattr(Broken, "at_opening", None)
    monkeypatch.setattr(Broken, "at_sending", None)
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    monkeypatch.setattr("nobishiro.web.worklist.morning.get_connection", lambda: Broken())
    return Broken


@pytest.fixture
def reader(
    person: Callable[[Role], User], make_customer: Callable[..., Customer], make_action: Callable[..., Action],
    site_workspace: Path,
) -> User:  # fmt: skip
    user = person(Role.REP)
    make_action(make_customer("K1", name="東和食品機械 & <b>子会社</b>"), why_ja="秘密の理由", title="")
    MorningMail.objects.create(user=user, is_wanted=True)
    return user


def test_the_list_comes_once_however_often_the_job_runs(reader: User) -> None:
    assert send_morning_mails(at=AT) == MorningReport(1, 0, 0)
    assert send_morning_mails(at=AT) == MorningReport(0, 0, 0)
    (sent,) = mail.outbox
    assert sent.to == [reader.email]
    assert sent.subject == "本日のご提案 1 件"
    assert "東和食品機械 & <b>子会社</b>さま" in sent.body
    assert f"/customers/{Customer.objects.get().pk}/" in sent.body
    html = str(sent.alternatives[0][0])
    assert "東和食品機械 &amp; &lt;b&gt;子会社" in html
    assert "秘密の理由" not in sent.body + html
    assert "¥" not in sent.body + html
    assert reverse("worklist:mail") in sent.body


def test_in_the_language_of_the_account(reader: User) -> None:
    User.objects.update(language="en")
    send_morning_mails(at=AT)
    assert mail.outbox[0].subject == "1 customers for today"


def test_nobody_who_did_not_ask_gets_any(reader: User) -> None:
    MorningMail.objects.update(is_wanted=False)
    assert send_morning_mails(at=AT) == MorningReport(0, 0, 0)
    assert mail.outbox == []


def test_disabled_people_get_none(reader: User) -> None:
    User.objects.update(is_active=False)
    send_morning_mails(at=AT)
    assert mail.outbox == []


def test_nothing_on_a_day_the_company_is_closed(reader: User) -> None:
    send_morning_mails(at=HOLIDAY)
    assert mail.outbox == []
    assert not MorningMailSent.objects.exists()


def test_an_empty_list_is_no_mail(reader: User) -> None:
    action = Action.objects.get()
    record_outcome(by=reader, code="tap-90001", customer=action.customer, result="open", action=action)
    assert send_morning_mails(at=AT) == MorningReport(0, 1, 0)
    assert mail.outbox == []


@pytest.mark.parametrize("fault", [ConnectionRefusedError(), TimeoutError()])
def test_a_server_that_cannot_be_reached_is_tried_again(
    reader: User, broken: type[Broken], fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, "at_opening", fault)
    with pytest.raises(MailNotSent):
        send_morning_mails(at=AT)
    assert MorningMailSent.objects.get().state == "failed"
    monkeypatch.setattr(broken, "at_opening", None)
    assert send_morning_mails(at=AT).sent == 1
    assert MorningMailSent.objects.get().state == "sent"


def test_a_server_that_says_no_is_tried_again(
    reader: User, broken: type[Broken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, "at_sending", SMTPRecipientsRefused({reader.email: (450, b"later")}))
    with pytest.raises(MailNotSent):
        send_morning_mails(at=AT)
    monkeypatch.setattr(broken, "at_sending", None)
    assert send_morning_mails(at=AT).sent == 1


def test_a_mail_that_may_have_gone_out_is_not_sent_again(
    reader: User, broken: type[Broken], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, "at_sending", SMTPServerDisconnected("after DATA"))
    assert send_morning_mails(at=AT) == MorningReport(0, 0, 1)
    monkeypatch.setattr(broken, "at_sending", None)
    assert send_morning_mails(at=AT) == MorningReport(0, 0, 0)


def test_one_persons_fault_keeps_nobody_else_from_theirs(
    reader: User, broken: type[Broken], monkeypatch: pytest.MonkeyPatch, make_customer: Callable[..., Customer],
    make_action: Callable[..., Action],
) -> None:  # fmt: skip
    from nobishiro.web.people.models import Rep

    other = User.objects.create_user("two@example.jp", "二人目", Role.REP)
    other.rep = Rep.objects.create(code="R2", name="二人目")
    other.save()
    MorningMail.objects.create(user=other, is_wanted=True)
    make_action(make_customer("K2"), rep=other.rep, source_key="plan:2")

    def send(self: Broken, messages: list[EmailMessage]) -> int:
        if messages[0].to == [reader.email]:
            raise SMTPRecipientsRefused({reader.email: (550, b"no")})
        return 1

    monkeypatch.setattr(broken, "send_messages", send)
    with pytest.raises(MailNotSent):
        send_morning_mails(at=AT)
    assert dict(MorningMailSent.objects.values_list("user__email", "state")) == {
        reader.email: "failed", "two@example.jp": "sent",
    }  # fmt: skip


def test_asking_for_it_is_a_switch_of_ones_own(
    signed_in: Callable[[Role], Client], person: Callable[[Role], User], site_workspace: Path
) -> None:
    client = signed_in(Role.REP)
    client.post(reverse("worklist:mail"), {"wanted": "1"})
    assert MorningMail.objects.get(user=person(Role.REP)).is_wanted is True
    client.get(reverse("worklist:mail"))
    assert MorningMail.objects.get().is_wanted is True  # looking changes nothing
    client.post(reverse("worklist:mail"), {"wanted": "0"})
    assert MorningMail.objects.get().is_wanted is False


def test_the_job_is_known_to_the_schedule() -> None:
    import_module("nobishiro.web.worklist.tasks")
    assert "morning_mail" in KINDS
