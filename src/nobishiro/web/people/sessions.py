"""Ending sessions: every session is signed over the person's password and a stamp; a new stamp ends those made before."""

from __future__ import annotations

import secrets

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from nobishiro.web.core.audit import record
from nobishiro.web.people.models import User


def end_sessions(*, by: User, user: User) -> None:
    """Sign `user` out everywhere, at their next click."""
    _stamp(user)
    record(by, "user.end_sessions", f"user:{user.pk}")


def end_sessions_elsewhere(*, request: HttpRequest, user: User) -> None:
    """Sign `user` out everywhere but here."""
    _stamp(user)
    update_session_auth_hash(request, user)
    record(user, "user.end_sessions", f"user:{user.pk}", {"but": "this one"}, request=request)


def _stamp(user: User) -> None:
    user.session_stamp = secrets.token_hex(16)
    user.save(update_fields=["session_stamp"])
