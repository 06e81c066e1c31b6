"""`nobishiro invite`, as a process of its own: the link it prints opens an account."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # starts processes of its own; `make test-faults` runs it

MAIN = "import sys; from nobishiro.cli.main import main; sys.argv[0] = 'nobishiro'; main()"
CHECK = """
import django; django.setup()
from nobishiro.web.people.invitations import accept_invitation, find_invitation
import sys
user = accept_invitation(token=sys.argv[1], email="", name="鈴木", password="correct horse battery staple")
print(user.email, user.role, find_invitation(sys.argv[1]))
"""


def run(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "NOBISHIRO_WORKSPACE": str(workspace),
        "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings",
    }
    environment.pop("NOBISHIRO_DEMO", None)
    return subprocess.run(
        [sys.executable, "-c", *arguments], env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = run(
        tmp_path / "acme",
        "import django; django.setup(); from django.core.management import call_command as call; "
        "call('migrate', verbosity=0)",
    )
    assert made.returncode == 0, made.stderr
    return tmp_path / "acme"


def test_invite_prints_a_link_that_opens_an_account_once(site: Path) -> None:
    done = run(site, MAIN, "invite", "Suzuki@example.jp", "--role", "manager", "--url", "https://x.example", "--json")
    assert done.returncode == 0, done.stderr
    link = json.loads(done.stdout)["link"]
    assert link.startswith("https://x.example/account/invitation/#")
    accepted = run(site, CHECK, link.split("#")[1])
    assert accepted.stdout.split() == ["suzuki@example.jp", "manager", "None"], accepted.stderr
    again = run(site, MAIN, "invite", "suzuki@example.jp", "--lang", "en")
    assert "has an account already" in again.stdout


def test_invite_says_what_is_wrong(tmp_path: Path) -> None:
    assert run(tmp_path, MAIN, "invite", "x@example.jp", "--role", "boss", "--lang", "en").returncode == 2
    missing = run(tmp_path, MAIN, "invite", "x@example.jp", "-w", str(tmp_path / "none"), "--lang", "en")
    assert missing.returncode == 5 and "nobishiro serve" in missing.stderr


def test_serve_refuses_the_demos_one_click_sign_in(tmp_path: Path) -> None:
    environment = {**os.environ, "NOBISHIRO_DEMO": "1", "NOBISHIRO_WORKSPACE": str(tmp_path / "acme")}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "serve", "--port", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and "NOBISHIRO_DEMO" in done.stderr
    assert not (tmp_path / "acme").exists()
