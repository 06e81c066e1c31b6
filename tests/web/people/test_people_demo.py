"""One-click sign-in: there in the demo, and nowhere else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import NoReverseMatch, clear_url_caches, include, path, reverse

from nobishiro.web.config import urls as site_urls
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import User

pytestmark = pytest.mark.slow  # starts processes of its own; `make test-faults` runs it


@pytest.fixture
def demo_site(settings) -> Iterator[None]:
    """The site as the demo's processes have it."""
    module = ModuleType("demo_site_urls")
    module.urlpatterns = [*site_urls.urlpatterns, path("demo/", include("nobishiro.web.people.demo_urls"))]
    module.handler404 = site_urls.handler404
    sys.modules[module.__name__] = module
    settings.ROOT_URLCONF = module.__name__
    settings.INSTALLATION = replace(settings.INSTALLATION, is_demo=True)
    clear_url_caches()
    yield
    del sys.modules[module.__name__]
    clear_url_caches()


def addresses_of_a_process(tmp_path: Path, demo: str) -> bool:
    script = (
        "import django; django.setup()\n"
        "from django.urls import reverse, NoReverseMatch\n"
        "try:\n    print(reverse('demo:step_in'))\nexcept NoReverseMatch:\n    print('none')"
    )
    environment = {
        **os.environ, "NOBISHIRO_WORKSPACE": str(tmp_path), "NOBISHIRO_DEMO": demo,
        "DJANGO_SETTINGS_MODULE": "nobishiro.web.config.settings",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() != "none"


@pytest.mark.parametrize(("demo", "exists"), [("1", True), ("0", False), ("", False), ("true", False)])
def test_the_addresses_exist_only_in_a_process_started_as_the_demo(tmp_path: Path, demo: str, exists: bool) -> None:
    assert addresses_of_a_process(tmp_path, demo) is exists


@pytest.mark.django_db
def test_without_the_demo_there_is_no_such_address(client: Client) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("demo:people")
    for address in ("/demo/", "/demo/step-in/"):
        assert client.get(address).status_code == 404
        assert client.post(address, {"role": "administrator"}).status_code == 404
    assert SESSION_KEY not in client.session and not User.objects.exists()


@pytest.mark.django_db
def test_the_views_refuse_even_if_the_addresses_were_there(client: Client, demo_site, settings) -> None:
    settings.INSTALLATION = replace(settings.INSTALLATION, is_demo=False)
    assert client.get("/demo/").status_code == 404
    assert client.post("/demo/step-in/", {"role": "administrator"}).status_code == 404
    assert not User.objects.exists()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP, Role.ADMINISTRATOR])
@pytest.mark.django_db
def test_one_click_steps_in_as_each_person(client: Client, demo_site, rep, role: Role) -> None:
    page = client.get(reverse("demo:people"))
    assert page.status_code == 200 and page.content.decode().count('name="role"') == 3
    response = client.post(reverse("demo:step_in"), {"role": role.value})
    assert response.status_code == 302
    user = User.objects.get(pk=client.session[SESSION_KEY])
    assert user.role == role and not user.has_usable_password()
    assert (user.rep == rep) is (role is Role.REP)
    assert AuditEntry.objects.filter(verb="sign_in", actor_id=user.pk).exists()
    client.post(reverse("demo:step_in"), {"role": role.value})
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_stepping_in_is_a_post_and_knows_no_other_role(client: Client, demo_site) -> None:
    assert client.get("/demo/step-in/").status_code == 405
    for role in ("marketer", "superuser", ""):
        assert client.post("/demo/step-in/", {"role": role}).status_code == 404
    assert Client(enforce_csrf_checks=True).post("/demo/step-in/", {"role": "manager"}).status_code == 403
    assert not User.objects.exists()


@pytest.mark.django_db
def test_other_companies_are_listed_when_they_lead_to_this_machine(
    client: Client, demo_site, site_workspace: Path, settings
) -> None:
    settings.INSTALLATION = replace(settings.INSTALLATION, is_demo=True)
    worlds = [
        {"name_ja": "ひより市場", "name_en": "Hiyori Market", "url": "http://127.0.0.1:8002/demo/", "state": "ready"},
        {"name_ja": "みらい学び", "name_en": "Mirai", "url": "http://127.0.0.1:8003/demo/", "state": "building"},
        {"name_ja": "<script>", "name_en": "x", "url": "https://elsewhere.example/", "state": "ready"},
    ]
    (site_workspace.parent / "worlds.json").write_text(json.dumps(worlds), "utf-8")
    text = client.get(reverse("demo:people")).content.decode()
    assert 'href="http://127.0.0.1:8002/demo/"' in text and "みらい学び" in text
    assert "8003" not in text and "elsewhere.example" not in text
    (site_workspace.parent / "worlds.json").write_text("no json", "utf-8")
    assert client.get(reverse("demo:people")).status_code == 200
