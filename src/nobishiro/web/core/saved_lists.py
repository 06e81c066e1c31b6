"""マイリスト and 共有リスト: a list page's filters, columns and order kept under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.http import QueryDict

from nobishiro.web.core.audit import record
from nobishiro.web.core.models import SavedList

if TYPE_CHECKING:
    from nobishiro.web.people.models import User

_LONGEST_QUERY: Final = 4000


def lists_for(user: User, page: str) -> list[SavedList]:
    """One's own lists of a page and everybody's shared ones; favourites first, then by name."""
    own_or_shared = SavedList.objects.filter(Q(owner=user) | Q(is_shared=True), page=page)
    return list(own_or_shared.select_related("owner").order_by("-is_favourite", "name", "pk")[:200])


def keep_list(*, by: User, page: str, name: str, query: str) -> SavedList:
    """Keep a list under a name; a name used before is given the new filters. Raises `ValueError` for one too long."""
    from nobishiro.web.core.lists import OWN_NAMES

    said = QueryDict(query)
    kept = QueryDict(mutable=True)
    for key, values in said.lists():
        if key not in OWN_NAMES or key in ("sort", "columns"):
            kept.setlist(key, values)
    text = kept.urlencode()
    if len(text) > _LONGEST_QUERY:
        raise ValueError("these conditions are too long to be kept; choose fewer")
    saved, is_new = SavedList.objects.update_or_create(owner=by, page=page, name=name, defaults={"query": text})
    record(by, "list.keep", f"list:{page}", {"name": name, "is_new": is_new})
    return saved


def share_list(*, by: User, saved: SavedList, is_shared: bool) -> None:
    """Show the list to everybody, or to its owner alone again."""
    saved.is_shared = is_shared
    saved.save(update_fields=["is_shared"])
    record(by, "list.share" if is_shared else "list.unshare", f"list:{saved.page}", {"name": saved.name})


def favour_list(*, by: User, saved: SavedList, is_favourite: bool) -> None:
    """Put one's own list first, or back in line."""
    saved.is_favourite = is_favourite
    saved.save(update_fields=["is_favourite"])


def forget_list(*, by: User, saved: SavedList) -> None:
    """Remove a kept list; the customers on it are untouched."""
    record(by, "list.forget", f"list:{saved.page}", {"name": saved.name})
    saved.delete()
