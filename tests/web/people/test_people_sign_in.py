"""Signing in and out: the way in, what is refused, what ends a session, what is written down."""

import time
from collections.abc import Callable

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client
from django.urls import reverse

from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import CompanySettings, User

PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.django_db


@pytest.fixture
def rep_user(person: Callable[[Role], User]) -> User:
    return person(Role.REP)


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: object):
    return client.post(reverse("account_login"), {"login": email, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get(reverse("people:account")).status_code == 200


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def confirm_it_is_you(client: Client, user: User) -> None:
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session.save()


def test_mail_address_in_any_case_and_password_lead_in(client: Client, rep_user: User) -> None:
    response = sign_in(client, rep_user.email.upper())
    assert response.status_code == 302 and response.url == reverse("home")
    assert is_in(client)
    assert verbs() == ["sign_in"]
    assert AuditEntry.objects.get().actor_id == rep_user.pk


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, rep_user: User) -> None:
    wrong = sign_in(client, rep_user.email, "not the password at all")
    unknown = sign_in(client, "nobody@example.jp", "not the password at all")
    assert wrong.status_code == unknown.status_code == 200
    said = [str(response.context["form"].non_field_errors()) for response in (wrong, unknown)]
    assert said[0] == said[1] != ""


def test_failed_sign_ins_are_written_down_without_what_was_typed(client: Client, rep_user: User) -> None:
    sign_in(client, rep_user.email, "not the password at all")
    sign_in(client, "correct horse battery staple", "x")
    entries = AuditEntry.objects.filter(verb="sign_in.failed")
    assert entries[0].actor_id is None and entries[0].address == "127.0.0.1"
    kept = " ".join(str(entry.detail) for entry in entries)
    assert "r…@example.jp" in kept
    assert "rep@" not in kept and "correct horse" not in kept and "not the password" not in kept


def test_after_five_wrong_passwords_even_the_right_one_waits(client: Client, rep_user: User) -> None:
    for _ in range(5):
        response = sign_in(client, rep_user.email, "not the password at all")
    assert response.status_code == 429
    assert "people/locked_out.html" in [template.name for template in response.templates]
    assert not is_in(client)
    sign_in(client, rep_user.email)
    assert not is_in(client)
    assert "sign_in.locked" in verbs()
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9"), rep_user.email).status_code == 302, (
        "locks a pair of address and place"
    )


def test_signing_in_rotates_the_session_and_the_csrf_token(client: Client, rep_user: User) -> None:
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    before = session.session_key
    client.get(reverse("account_login"))
    token = client.cookies["csrftoken"].value
    sign_in(client, rep_user.email)
    assert client.session.session_key != before
    assert client.cookies["csrftoken"].value != token
    other = Client()
    other.cookies["sessionid"] = before
    assert not is_in(other)


def test_signing_out_kills_the_session(client: Client, rep_user: User) -> None:
    sign_in(client, rep_user.email)
    kept = client.cookies["sessionid"].value
    assert client.get(reverse("account_logout")).status_code == 200, "asks; a GET signs nobody out"
    assert is_in(client)
    client.post(reverse("account_logout"))
    other = Client()
    other.cookies["sessionid"] = kept
    assert not is_in(other)
    assert verbs() == ["sign_in", "sign_out"]


def test_a_disabled_person_is_out_at_their_next_click(client: Client, rep_user: User) -> None:
    sign_in(client, rep_user.email)
    assert is_in(client)
    User.objects.filter(pk=rep_user.pk).update(is_active=False)
    assert not is_in(client)
    assert sign_in(client, rep_user.email).status_code in (200, 302)
    assert not is_in(client)


def test_a_changed_password_ends_the_other_sessions_and_not_this_one(rep_user: User) -> None:
    here, elsewhere = Client(), Client()
    sign_in(here, rep_user.email)
    sign_in(elsewhere, rep_user.email)
    new = "quite another long sentence"
    response = here.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert response.status_code == 302
    assert is_in(here) and not is_in(elsewhere)
    assert "password.change" in verbs()


def test_sessions_elsewhere_can_be_ended(rep_user: User) -> None:
    here, elsewhere = Client(), Client()
    sign_in(here, rep_user.email)
    sign_in(elsewhere, rep_user.email)
    assert here.post(reverse("people:end_other_sessions")).status_code == 302
    assert is_in(here) and not is_in(elsewhere)


@pytest.mark.parametrize("bad", ["short", "password1234", "12345678901234567", "rep@example.jp"])
def test_short_common_and_telling_passwords_are_refused(client: Client, rep_user: User, bad: str) -> None:
    sign_in(client, rep_user.email)
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": bad, "password2": bad})
    rep_user.refresh_from_db()
    assert rep_user.check_password(PASSWORD)


def test_passwords_are_kept_by_argon2(settings) -> None:
    from django.contrib.auth.hashers import get_hashers_by_algorithm, make_password

    from nobishiro.web.config.settings import PASSWORD_HASHERS

    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    get_hashers_by_algorithm.cache_clear()
    assert make_password(PASSWORD).startswith("argon2$argon2id$")


def test_reset_by_mail_says_the_same_for_every_address_and_its_link_works_once(client: Client, rep_user: User) -> None:
    known = client.post(reverse("account_reset_password"), {"email": rep_user.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.jp"})
    assert known.status_code == unknown.status_code == 302 and known.url == unknown.url
    assert len(mail.outbox) == 2
    message = mail.outbox[0]
    assert message.to == [rep_user.email] and message.subject == "Nobishiro: パスワード再設定のご案内"
    link = next(line for line in message.body.splitlines() if line.startswith("http"))
    page = client.get(link.replace("http://testserver", ""), follow=True)
    new = "quite another long sentence"
    address = page.redirect_chain[-1][0]
    assert rep_user.pk and link.rsplit("-", 1)[-1] not in address, "the token does not stay in the address"
    done = client.post(address, {"password1": new, "password2": new})
    assert done.status_code == 302
    rep_user.refresh_from_db()
    assert rep_user.check_password(new)
    again = Client().get(link.replace("http://testserver", ""), follow=True)
    assert again.context["token_fail"]
    assert "password.change" in verbs()


@pytest.mark.parametrize(
    "name", ["account_signup", "account_email", "account_set_password", "account_confirm_login_code"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up_or_changes_addresses_by_themselves(
    client: Client, signed_in: Callable[[Role], Client], name: str, method: str
) -> None:
    data = {"email": "new@example.jp", "password1": PASSWORD, "password2": PASSWORD}
    response = getattr(client, method)(reverse(name), data)
    assert response.status_code == 302 and response.url.startswith(reverse("account_login"))
    assert getattr(signed_in(Role.ADMINISTRATOR), method)(reverse(name), data).status_code == 404
    assert not User.objects.filter(email="new@example.jp").exists()


def test_second_factor_from_setting_up_to_a_recovery_code(
    client: Client, rep_user: User, django_capture_on_commit_callbacks
) -> None:
    sign_in(client, rep_user.email)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert response.status_code == 302
    codes = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"]
    assert len(codes) == 10
    client.post(reverse("account_logout"))

    half = sign_in(client, rep_user.email)
    assert half.url == reverse("mfa_authenticate")
    assert not is_in(client), "the password alone is not enough"
    assert client.get(reverse("mfa_authenticate")).status_code == 200
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert not is_in(client)
    assert client.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == 302
    assert is_in(client)
    client.post(reverse("account_logout"))
    sign_in(client, rep_user.email)
    client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert not is_in(client), "a recovery code works once"
    assert {"mfa.add", "mfa.failed"} <= set(verbs())


def test_changing_factors_asks_for_the_password_when_the_sign_in_is_long_ago(
    rep_user: User, signed_in: Callable[[Role], Client]
) -> None:
    client = signed_in(Role.REP)  # no time of a password in this session
    response = client.get(reverse("mfa_activate_totp"))
    assert response.status_code == 302 and response.url.startswith(reverse("account_reauthenticate"))
    assert client.get(response.url).status_code == 200
    refused = client.post(reverse("account_reauthenticate"), {"password": "not the password at all"})
    assert refused.status_code == 200
    accepted = client.post(
        reverse("account_reauthenticate"), {"password": PASSWORD, "next": reverse("mfa_activate_totp")}
    )
    assert accepted.status_code == 302
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize("how", ["person", "company"])
def test_whoever_must_use_a_second_factor_is_led_to_it(
    signed_in: Callable[[Role], Client], person: Callable[[Role], User], how: str
) -> None:
    administrator = person(Role.ADMINISTRATOR)
    client = signed_in(Role.ADMINISTRATOR)
    assert is_in(client)
    if how == "person":
        User.objects.filter(pk=administrator.pk).update(must_use_mfa=True)
    else:
        CompanySettings(pk=1, administrators_need_mfa=True).save()
    response = client.get(reverse("people:account"))
    assert response.status_code == 302 and response.url == reverse("mfa_index")
    assert client.get(reverse("people:account"), headers={"HX-Request": "true"}).status_code == 401
    assert client.get(reverse("mfa_index")).status_code == 200
    assert client.post(reverse("core:language"), {"language": "en"}).status_code == 302
    secret = generate_totp_secret()
    TOTP.activate(administrator, secret)
    assert is_in(client)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_of_signing_in_speaks_the_language(
    rep_user: User, signed_in: Callable[[Role], Client], language: str
) -> None:
    outside = Client(headers={"Accept-Language": language})
    User.objects.filter(pk=rep_user.pk).update(language=language, name="Sato", division=None)
    inside = signed_in(Role.REP)
    confirm_it_is_you(inside, rep_user)
    RecoveryCodes.activate(rep_user)
    pages = [
        (outside, reverse(name))
        for name in ("account_login", "account_reset_password", "account_reset_password_done", "people:invitation",
                     "account_inactive", "account_reset_password_from_key_done")
    ] + [
        (inside, reverse(name))
        for name in ("account_logout", "account_change_password", "mfa_index", "mfa_activate_totp", "mfa_view_recovery_codes",
                     "mfa_generate_recovery_codes", "mfa_add_webauthn", "people:account", "account_reauthenticate")
    ] + [(outside, reverse("account_reset_password_from_key", args=["x", "set-password"]))]  # fmt: skip
    for client, address in pages:
        response = client.get(address)
        assert response.status_code == 200, address
        text = response.content.decode()
        main = text[text.index("<main") : text.index("</main>")]
        has_japanese = any("぀" <= letter <= "ヿ" for letter in main)
        assert has_japanese is (language == "ja"), address
        assert "core/base.html" in [template.name for template in response.templates], address
