"""Rows whose column holds one of very many values: one parameter instead of one a value, which databases limit."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL


def among(column: str, values: Iterable[str]) -> Q:
    """A condition as `Q(column__in=values)`, for any number of texts."""
    listing = json.dumps(list(values), ensure_ascii=False)
    each = (
        "SELECT jsonb_array_elements_text(%s::jsonb)"
        if connection.vendor == "postgresql"
        else "SELECT value FROM json_each(%s)"
    )
    return Q(**{f"{column}__in": RawSQL(each, (listing,))})  # noqa: S611 - no value is part of the statement
