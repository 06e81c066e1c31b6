"""Sign-ins, failures, lock-outs, sign-outs and changes of passwords and second factors, into the audit trail.

The libraries that do these things say so by signals; here is where we listen, connected once in `apps.ready`. Nothing is
decided here. Of a failed sign-in the address is kept shortened and as a keyed hash: what was typed may be a password.
"""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.signals import password_changed, password_reset
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from nobishiro.web.core.audit import record
from nobishiro.web.people.accounts import sign_in_name
from nobishiro.web.people.models import User


def shortened(email: str) -> dict[str, object]:
    """`s…@example.jp` and a keyed hash: enough to see whether it was the same one again."""
    before, at, domain = email.partition("@")
    known = f"{before[:1]}…@{domain}" if at else ""
    return {"mail": known, "mail_hash": salted_hmac("nobishiro.sign_in", email.lower()).hexdigest()[:16]}


def signed_in(sender: object, request: HttpRequest | None, user: User, **more: object) -> None:
    """Somebody came in."""
    record(user, "sign_in", f"user:{user.pk}", request=request)


def signed_out(sender: object, request: HttpRequest | None, user: User | None, **more: object) -> None:
    """Somebody left."""
    if user is not None:
        record(user, "sign_out", f"user:{user.pk}", request=request)


def failed(sender: object, credentials: dict[str, str], request: HttpRequest | None = None, **more: object) -> None:
    """A wrong password, or an address without an account."""
    record(None, "sign_in.failed", "", shortened(sign_in_name(request, credentials)), request=request)


def locked_out(sender: object, request: HttpRequest, username: str = "", **more: object) -> None:
    """Too many in a row."""
    record(None, "sign_in.locked", "", shortened(username or ""), request=request)


def password_was_changed(sender: object, request: HttpRequest, user: User, **more: object) -> None:
    """By its owner."""
    record(user, "password.change", f"user:{user.pk}", {"by": "owner"}, request=request)


def password_was_reset(sender: object, request: HttpRequest, user: User, **more: object) -> None:
    """By a link that was mailed."""
    record(user, "password.change", f"user:{user.pk}", {"by": "mail"}, request=request)


def factor_added(sender: object, request: HttpRequest, user: User, authenticator: object, **more: object) -> None:
    """A second factor is there."""
    record(user, "mfa.add", f"user:{user.pk}", _kind(authenticator), request=request)


def factor_removed(sender: object, request: HttpRequest, user: User, authenticator: object, **more: object) -> None:
    """A second factor is gone."""
    record(user, "mfa.remove", f"user:{user.pk}", _kind(authenticator), request=request)


def factor_reset(sender: object, request: HttpRequest, user: User, authenticator: object, **more: object) -> None:
    """New recovery codes."""
    record(user, "mfa.reset", f"user:{user.pk}", _kind(authenticator), request=request)


def factor_failed(sender: object, request: HttpRequest, user: User, **more: object) -> None:
    """A wrong code."""
    record(user, "mfa.failed", f"user:{user.pk}", request=request)


def listen() -> None:
    """Connect all of the above."""
    pairs: tuple[tuple[Signal, Callable[..., None]], ...] = (
        (user_logged_in, signed_in),
        (user_logged_out, signed_out),
        (user_login_failed, failed),
        (user_locked_out, locked_out),
        (password_changed, password_was_changed),
        (password_reset, password_was_reset),
        (authenticator_added, factor_added),
        (authenticator_removed, factor_removed),
        (authenticator_reset, factor_reset),
        (authentication_failed, factor_failed),
    )
    for signal, listener in pairs:
        signal.connect(listener, dispatch_uid=f"nobishiro.{listener.__name__}")


def _kind(authenticator: object) -> dict[str, object]:
    return {"kind": str(getattr(authenticator, "type", ""))}
