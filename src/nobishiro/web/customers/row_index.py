"""Keeps the large tables sorted by customer beside the store, so that a karte stands at once however many rows there are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from nobishiro.pipelines.customer_index import build_index
from nobishiro.pipelines.published import PublishedRun
from nobishiro.web.core.company import workspace_path
from nobishiro.web.customers.publication import on_publication


def index_directory() -> Path:
    """Where the sorted copies are; they can be thrown away at any time."""
    return workspace_path() / "web" / "index"


@on_publication
def index_rows(run: PublishedRun, *, at: datetime) -> tuple[str, ...]:
    """Bring the sorted copies in step with the newest commit; nothing is done where they are."""
    return build_index(run.workspace, index_directory())
