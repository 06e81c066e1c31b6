"""Accounts as the administrator keeps them. There is always an active administrator left."""

from __future__ import annotations

from typing import Final

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext

from nobishiro.web.core.audit import record
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import User
from nobishiro.web.people.sessions import end_sessions

KEPT: Final = ("name", "email", "role", "division_id", "rep_id", "language", "must_use_mfa")
"""What an administrator sets, and the audit trail keeps before and after of."""


class LastAdministrator(Exception):
    """The change would leave nobody who could take it back."""

    def __str__(self) -> str:
        return gettext("This is the last administrator. Make somebody else an administrator first.")


def all_users() -> QuerySet[User]:
    """Everybody, the active first, with `has_mfa`."""
    factors = Authenticator.objects.filter(user_id=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return (
        User.objects.select_related("division", "rep").annotate(has_mfa=Exists(factors)).order_by("-is_active", "name")
    )


def change_user(*, by: User, user: User, before: dict[str, object]) -> None:
    """Keep what a form has set on `user`; `before` is what stood there (`kept_of`). Raises `LastAdministrator`."""
    after = kept_of(user)
    changed: dict[str, object] = {name: [before[name], after[name]] for name in KEPT if before[name] != after[name]}
    if not changed:
        return
    with transaction.atomic():
        if before["role"] == Role.ADMINISTRATOR and user.role != Role.ADMINISTRATOR:
            _check_others(user)
        user.save(update_fields=[name.removesuffix("_id") for name in KEPT])
        record(by, "user.change", f"user:{user.pk}", changed)


def kept_of(user: User) -> dict[str, object]:
    """What the audit trail compares."""
    return {name: getattr(user, name) for name in KEPT}


def disable_user(*, by: User, user: User) -> None:
    """Close the account: out at the next click, no way in, every trace of what they did stays. Raises `LastAdministrator`."""
    with transaction.atomic():
        if user.role == Role.ADMINISTRATOR:
            _check_others(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        end_sessions(by=by, user=user)
        record(by, "user.disable", f"user:{user.pk}", {"email": user.email})


def enable_user(*, by: User, user: User) -> None:
    """Open it again, with the password it had."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(by, "user.enable", f"user:{user.pk}", {"email": user.email})


def take_factors_off(*, by: User, user: User) -> None:
    """For somebody who lost phone and codes: the password alone leads in, until they set one up again."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        end_sessions(by=by, user=user)
        record(by, "mfa.remove", f"user:{user.pk}", {"by": "administrator", "email": user.email})


def _check_others(user: User) -> None:
    others = User.objects.select_for_update().filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=user.pk)
    if not others.exists():
        raise LastAdministrator
