"""One-time links: the first administrator, colleagues, forgotten passwords."""

import hashlib
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.invitations import (
    InvitationUsed,
    accept_invitation,
    find_invitation,
    first_run_link,
    invite,
    mail_invitation,
    new_password_link,
    open_invitations,
    withdraw_invitation,
)
from nobishiro.web.people.models import Invitation, User

pytestmark = pytest.mark.django_db
BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery staple"


def token_of(link: str) -> str:
    return link.split("#", 1)[1]


def test_the_first_run_makes_the_administrator_and_then_never_again(client: Client) -> None:
    link = first_run_link(BASE)
    assert link is not None and link.startswith(f"{BASE}{reverse('people:invitation')}#")
    page = client.post(reverse("people:invitation"), {"token": token_of(link)})
    assert page.status_code == 200 and "email" in page.context["form"].fields
    answers = {
        "step": "set",
        "token": token_of(link),
        "email": "Kanri@example.jp",
        "name": "管理 太郎",
        "password": PASSWORD,
        "again": PASSWORD,
    }
    assert client.post(reverse("people:invitation"), answers).status_code == 302
    user = User.objects.get()
    assert (user.email, user.role, user.name) == ("kanri@example.jp", Role.ADMINISTRATOR, "管理 太郎")
    assert user.check_password(PASSWORD)
    assert first_run_link(BASE) is None
    assert client.post(reverse("people:invitation"), answers).status_code == 404, "used once"
    assert User.objects.count() == 1


def test_a_second_first_run_link_ends_the_first() -> None:
    first, second = first_run_link(BASE), first_run_link(BASE)
    assert find_invitation(token_of(str(first))) is None
    assert find_invitation(token_of(str(second))) is not None


def test_a_first_run_link_dies_when_somebody_is_there() -> None:
    link = str(first_run_link(BASE))
    User.objects.create_user("a@example.jp", "A", Role.REP, PASSWORD)
    assert find_invitation(token_of(link)) is None
    with pytest.raises(InvitationUsed):
        accept_invitation(token=token_of(link), email="b@example.jp", name="B", password=PASSWORD)


def test_only_a_hash_of_the_token_is_kept() -> None:
    invited = invite(by=None, email="b@example.jp", role=Role.REP)
    assert len(invited.token) >= 43, "256 bits"
    kept = Invitation.objects.values_list().get(pk=invited.invitation.pk)
    assert invited.token not in str(kept)
    assert invited.invitation.token_hash == hashlib.sha256(invited.token.encode()).hexdigest()
    assert invited.token not in str(list(AuditEntry.objects.values()))


def test_an_invited_person_joins_with_the_role_given_and_no_other(client: Client, rep, division) -> None:
    invited = invite(by=None, email="New@Example.jp", name="新人", role=Role.REP, division=division, rep=rep)
    answers = {
        "step": "set", "token": invited.token, "name": "新人 花子", "password": PASSWORD, "again": PASSWORD,
        "email": "other@example.jp", "role": "administrator", "is_superuser": "1",
    }  # fmt: skip
    assert client.post(reverse("people:invitation"), answers).status_code == 302
    user = User.objects.get()
    assert (user.email, user.role, user.name, user.rep, user.division) == (
        "new@example.jp",
        "rep",
        "新人 花子",
        rep,
        division,
    )


@pytest.mark.parametrize("password", ["short", "password1234", "new@example.jp"])
def test_weak_passwords_are_refused_and_the_link_stays_good(client: Client, password: str) -> None:
    invited = invite(by=None, email="new@example.jp", role=Role.REP)
    answers = {"step": "set", "token": invited.token, "name": "N", "password": password, "again": password}
    assert client.post(reverse("people:invitation"), answers).status_code == 422
    assert not User.objects.exists()
    assert find_invitation(invited.token) is not None


def test_a_link_expires_and_can_be_withdrawn(person) -> None:
    administrator = person(Role.ADMINISTRATOR)
    old, gone = (
        invite(by=administrator, email="a@example.jp", role=Role.REP),
        invite(by=administrator, email="b@example.jp", role=Role.REP),
    )
    Invitation.objects.filter(pk=old.invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    withdraw_invitation(by=administrator, invitation=gone.invitation)
    assert find_invitation(old.token) is None and find_invitation(gone.token) is None
    assert open_invitations() == []


def test_inviting_twice_ends_the_older_link_and_an_address_in_use_is_refused(person) -> None:
    first, second = (invite(by=None, email="a@example.jp", role=Role.REP) for _ in range(2))
    assert find_invitation(first.token) is None and find_invitation(second.token) is not None
    with pytest.raises(ValueError, match="アカウント"):
        invite(by=None, email=person(Role.REP).email.upper(), role=Role.REP)


def test_a_new_password_by_link_ends_the_sessions(person, signed_in) -> None:
    user, client = person(Role.REP), signed_in(Role.REP)
    invited = new_password_link(by=person(Role.ADMINISTRATOR), user=user)
    assert client.get(reverse("people:account")).status_code == 200
    accept_invitation(token=invited.token, email="", name="", password="quite another long sentence")
    assert client.get(reverse("people:account")).status_code == 302
    user.refresh_from_db()
    assert user.check_password("quite another long sentence")


def test_a_disabled_person_cannot_come_back_by_an_old_link(person) -> None:
    user = person(Role.REP)
    invited = new_password_link(by=person(Role.ADMINISTRATOR), user=user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert find_invitation(invited.token) is None


def test_guessing_is_limited(client: Client) -> None:
    codes = [client.post(reverse("people:invitation"), {"token": f"guess-{n}"}).status_code for n in range(31)]
    assert codes == [404] * 30 + [429]


def test_the_token_is_in_no_address_and_the_page_is_not_kept(client: Client) -> None:
    invited = invite(by=None, email="a@example.jp", role=Role.REP)
    for response in (
        client.get(reverse("people:invitation")),
        client.post(reverse("people:invitation"), {"token": invited.token}),
    ):
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert invited.token not in response.request["PATH_INFO"] + response.request["QUERY_STRING"]
        assert response.headers["Cache-Control"] == "no-store"


def test_the_link_is_mailed_when_mail_is_set_up(settings) -> None:
    from dataclasses import replace

    invited = invite(by=None, email="a@example.jp", name="鈴木", role=Role.REP)
    assert mail_invitation(invited, BASE) is False and mail.outbox == []
    settings.INSTALLATION = replace(settings.INSTALLATION, mail_url="smtp://localhost")
    assert mail_invitation(invited, BASE) is True
    (message,) = mail.outbox
    assert invited.link(BASE) in message.body and message.to == ["a@example.jp"] and "鈴木" in message.body
