"""The site as a whole: redirects, hosts, errors, logs, and what HTTPS adds."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from nobishiro.web.config import settings as site_settings
from nobishiro.web.core import views as core_views
from nobishiro.web.core.addresses import client_address
from nobishiro.web.core.permissions import Role

pytestmark = pytest.mark.slow  # starts processes of its own; `make test-faults` runs it

PASSWORD = "correct horse battery staple"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "https:evil.example",
    "http://testserver@evil.example/",
]


def leads_elsewhere(location: str) -> bool:
    return (
        not location.startswith("/") or location.startswith(("//", "/\\")) or "evil.example" in location.split("?")[0]
    )


@pytest.mark.django_db
@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_redirect_leads_elsewhere(client: Client, person, target: str) -> None:
    user = person(Role.REP)
    signed = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD, "next": target})
    assert signed.status_code == 302 and not leads_elsewhere(signed.headers["Location"])
    language = client.post(reverse("core:language"), {"language": "en", "next": target})
    assert not leads_elsewhere(language.headers["Location"])
    again = client.post(f"{reverse('account_reauthenticate')}?next={target}", {"password": PASSWORD, "next": target})
    assert again.status_code == 302 and not leads_elsewhere(again.headers["Location"])
    out = client.post(reverse("account_logout"), {"next": target})
    assert out.status_code == 302 and not leads_elsewhere(out.headers["Location"])
    shown_the_door = Client().get("/customers/", {"next": target})
    assert not leads_elsewhere(shown_the_door.headers["Location"])


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "127.0.0.1.evil.example", "a b", ""])
def test_the_site_answers_to_its_own_names_only(client: Client, host: str) -> None:
    assert client.get(reverse("account_login"), headers={"host": host}).status_code == 400


@pytest.mark.django_db
def test_an_error_says_nothing_of_itself(client: Client, monkeypatch, caplog) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret-of-the-house")

    monkeypatch.setattr(core_views.connection, "cursor", broken)
    client.raise_request_exception = False
    with caplog.at_level(logging.CRITICAL):
        response = client.get(reverse("core:health"))
    assert response.status_code == 500
    assert "secret-of-the-house" not in response.content.decode() and "Traceback" not in response.content.decode()


def test_debug_is_off_and_nothing_shows_the_inside() -> None:
    assert site_settings.DEBUG is False
    assert not {"django.contrib.admin", "debug_toolbar", "django.contrib.admindocs"} & set(site_settings.INSTALLED_APPS)
    assert "*" not in site_settings.ALLOWED_HOSTS
    said = json.dumps(site_settings.CONTENT_SECURITY_POLICY)
    assert "unsafe" not in said and "http" not in said and "*" not in said
    assert site_settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    assert site_settings.SESSION_COOKIE_HTTPONLY and site_settings.CSRF_COOKIE_HTTPONLY


@pytest.mark.django_db
def test_logs_hold_neither_addresses_nor_passwords(client: Client, person, caplog) -> None:
    user = person(Role.REP)
    with caplog.at_level(logging.DEBUG):
        for password in ("a-wrong-password-1", "a-wrong-password-2", *["a-wrong-password-3"] * 4, PASSWORD):
            client.post(reverse("account_login"), {"login": user.email, "password": password})
        client.post(reverse("account_reset_password"), {"email": user.email})
        client.post(reverse("people:invitation"), {"token": "a-token-nobody-made"})
        client.get("/no-such-page/?email=secret@example.jp")
    written = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("django.db", "django.template"))
    )
    for secret in (user.email, "a-wrong-password", PASSWORD, "a-token-nobody-made", "secret@example.jp"):
        assert secret not in written, written


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),  # nobody of ours stands in front: whoever wrote the header wrote what they liked
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "<script>", ""),
        (1, "", "10.0.0.1"),
    ],
)
def test_addresses_are_counted_from_our_own_proxies(rf, settings, proxies: int, forwarded: str, expected: str) -> None:
    from dataclasses import replace

    settings.INSTALLATION = replace(settings.INSTALLATION, proxies=proxies)
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected


BEHIND_HTTPS = """
import json, sys
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("migrate", verbosity=0)
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
from django.test import Client
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import User
User.objects.create_user("a@example.jp", "A", Role.REP, "correct horse battery staple")
plain = Client(headers={"host": "nobishiro.example.jp"}).get("/account/login/")
client = Client(headers={"host": "nobishiro.example.jp", "x-forwarded-proto": "https"})
page = client.get("/account/login/")
signed = client.post("/account/login/", {"login": "a@example.jp", "password": "correct horse battery staple"})
client.post("/language/", {"language": "en"})
print(json.dumps({
    "plain": [plain.status_code, plain.headers.get("Location")],
    "page": page.status_code, "signed": [signed.status_code, signed.headers.get("Location")],
    "hsts": page.headers.get("Strict-Transport-Security"),
    "cookies": {name: {key: morsel[key] for key in ("secure", "httponly", "samesite", "path", "domain")} for name, morsel in client.cookies.items()},
    "key_mode": oct((settings.INSTALLATION.home / "secret-key").stat().st_mode & 0o777),
}))
"""


def test_https_makes_cookies_bound_to_the_host_and_speaks_https_only(tmp_path: Path) -> None:
    environment = {
        **os.environ, "NOBISHIRO_WORKSPACE": str(tmp_path / "acme"), "NOBISHIRO_HTTPS": "1", "NOBISHIRO_PROXIES": "1",
        "NOBISHIRO_HOSTS": "nobishiro.example.jp", "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", BEHIND_HTTPS], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["plain"] == [301, "https://nobishiro.example.jp/account/login/"]
    assert said["page"] == 200 and said["signed"] == [302, "/"]
    assert said["hsts"] == "max-age=31536000; includeSubDomains"
    assert set(said["cookies"]) == {"__Host-session", "__Host-csrf", "__Host-language"}
    for name, cookie in said["cookies"].items():
        assert cookie["secure"] and cookie["httponly"], name
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", ""), name
    assert said["key_mode"] == "0o600"
