"""The customers of the list (U3), in a way the database answers from its indexes."""

from __future__ import annotations

from django.db.models import QuerySet

from nobishiro.web.customers.models import Customer


def listed() -> QuerySet[Customer]:
    """Every customer of every division that is on the list.

    Not `filter(is_listed=True)`: Django says that to SQLite as a bare column, which uses no index, and a page of a hundred
    thousand customers is then counted and sorted row by row (50 ms instead of none).
    """
    return Customer.objects.filter(is_listed__in=[True])
