"""Rate limits count in the cache; each test begins with none."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def no_counts_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
