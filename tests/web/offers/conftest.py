"""The company of `map_company` behind the pages, looked at on the run's own day."""

from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone
from map_company import project_company, write_company

from nobishiro.web.customers.models import Customer
from nobishiro.web.people.models import Rep


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """21 November 2026, noon."""
    moment = timezone.make_aware(datetime(2026, 11, 21, 12))
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


@pytest.fixture
def company(site_workspace: Path, rep: Rep, today: datetime) -> dict[str, Customer]:
    site_workspace.rmdir()
    write_company(site_workspace)
    return project_company(rep)
