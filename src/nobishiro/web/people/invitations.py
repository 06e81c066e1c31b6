"""One-time links: how the first administrator, a new colleague, or somebody who forgot it comes to a password.

The token has 256 random bits and stands behind the `#` of the link, so that it never reaches a server's or a proxy's log; the
page sends it in a form. Only its SHA-256 is kept. It works once, for a day (the first run) or a week, and a newer link for
the same person ends the older one.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from axes.utils import reset
from django.conf import settings
from django.core.mail import send_mail
from django.db import models, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from nobishiro.web.core.audit import record
from nobishiro.web.core.permissions import Role
from nobishiro.web.people.models import Division, Invitation, Rep, User

FIRST_RUN_LASTS: Final = timedelta(days=1)
LASTS: Final = timedelta(days=7)


class InvitationUsed(Exception):
    """The link was used, withdrawn or has expired since it was opened."""


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its token, which exists nowhere else: show it once."""

    invitation: Invitation
    token: str

    def link(self, base_url: str) -> str:
        """The address to give to the person."""
        return f"{base_url.rstrip('/')}{reverse('people:invitation')}#{self.token}"


def first_run_link(base_url: str) -> str | None:
    """The link by which the first administrator sets a password; None once there is a user.

    Each call ends the link of the call before. `base_url` is the site's, such as `http://127.0.0.1:8000`.
    """
    with transaction.atomic():
        if User.objects.exists():
            return None
        invited = _make(purpose=Invitation.Purpose.FIRST_RUN, role=Role.ADMINISTRATOR, lasts=FIRST_RUN_LASTS)
    return invited.link(base_url)


def invite(
    *,
    by: User | None,
    email: str,
    name: str = "",
    role: Role,
    division: Division | None = None,
    rep: Rep | None = None,
) -> Invited:
    """Invite somebody who has no account; an older open invitation of the address ends. `by` None is the command line.

    Raises `ValueError` when the address has an account.
    """
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise ValueError(gettext("There is an account with this mail address already."))
    with transaction.atomic():
        invited = _make(
            purpose=Invitation.Purpose.NEW_USER, email=email, name=name, role=role, division=division, rep=rep, by=by
        )
        record(by, "user.invite", f"invitation:{invited.invitation.pk}", {"email": email, "role": role.value})
    return invited


def new_password_link(*, by: User | None, user: User) -> Invited:
    """A link by which `user` sets a new password; the old one holds until then."""
    with transaction.atomic():
        invited = _make(
            purpose=Invitation.Purpose.NEW_PASSWORD,
            email=user.email,
            name=user.name,
            role=Role(user.role),
            user=user,
            by=by,
        )
        record(by, "user.password_link", f"user:{user.pk}", {"email": user.email})
    return invited


def withdraw_invitation(*, by: User, invitation: Invitation) -> None:
    """End an invitation that was not used."""
    done = _open(timezone.now()).filter(pk=invitation.pk).update(withdrawn_at=timezone.now())
    if done:
        record(by, "user.invite_withdraw", f"invitation:{invitation.pk}", {"email": invitation.email})


def open_invitations() -> list[Invitation]:
    """Those that wait, the newest first."""
    return list(
        _open(timezone.now()).exclude(purpose=Invitation.Purpose.FIRST_RUN).select_related("division", "rep", "made_by")
    )


def find_invitation(token: str) -> Invitation | None:
    """The invitation a token opens; None when it was never made, was used, withdrawn, or has expired."""
    found = _open(timezone.now()).filter(token_hash=_hashed(token)).select_related("user", "division", "rep").first()
    if found is not None and found.purpose == Invitation.Purpose.FIRST_RUN and User.objects.exists():
        return None
    return found


def accept_invitation(*, token: str, email: str, name: str, password: str) -> User:
    """Use the invitation up: make the account, or set the password of the one it is for, and end its sessions.

    `email` counts for the first run alone. Raises `InvitationUsed` when the token opens nothing any more, `ValueError` when
    the address has come to have an account meanwhile.
    """
    with transaction.atomic():
        invitation = find_invitation(token)
        now = timezone.now()
        if invitation is None or not _open(now).filter(pk=invitation.pk).update(used_at=now):
            raise InvitationUsed
        user = invitation.user
        if user is None:
            address = email if invitation.purpose == Invitation.Purpose.FIRST_RUN else invitation.email
            if User.objects.filter(email=address.strip().lower()).exists():
                raise ValueError(gettext("There is an account with this mail address already."))
            user = User.objects.create_user(address.strip(), name, Role(invitation.role), password)
            user.division = invitation.division
            is_free = invitation.rep is not None and not User.objects.filter(rep=invitation.rep).exists()
            user.rep = invitation.rep if is_free else None
            user.save(update_fields=["division", "rep"])
            record(user, "user.join", f"user:{user.pk}", {"role": user.role, "invitation": invitation.pk})
        else:
            user.set_password(password)
            user.save(update_fields=["password"])
            reset(username=user.email)  # whoever was locked out by wrong passwords may try the new one
            record(user, "password.change", f"user:{user.pk}", {"by": "link", "invitation": invitation.pk})
    return user


def mail_invitation(invited: Invited, base_url: str) -> bool:
    """Send the link by mail; False when mail is not set up, and the link has to be handed over by hand."""
    if not settings.INSTALLATION.mail_url:
        return False
    said = {"invitation": invited.invitation, "link": invited.link(base_url), "base_url": base_url}
    send_mail(
        gettext("Nobishiro: set your password"),
        render_to_string("people/mail/invitation.txt", said),
        settings.DEFAULT_FROM_EMAIL,
        [invited.invitation.email],
    )
    return True


def _make(
    *,
    purpose: Invitation.Purpose,
    role: Role,
    email: str = "",
    name: str = "",
    division: Division | None = None,
    rep: Rep | None = None,
    user: User | None = None,
    by: User | None = None,
    lasts: timedelta = LASTS,
) -> Invited:
    now = timezone.now()
    token = secrets.token_urlsafe(32)
    _open(now).filter(email=email).update(withdrawn_at=now)
    made = Invitation.objects.create(
        purpose=purpose, token_hash=_hashed(token), email=email, name=name, role=role, division=division, rep=rep, user=user,
        made_by=by, made_at=now, expires_at=now + lasts,
    )  # fmt: skip
    return Invited(made, token)


def _open(at: datetime) -> models.QuerySet[Invitation]:
    return Invitation.objects.filter(Q(user=None) | Q(user__is_active=True)).filter(
        used_at=None, withdrawn_at=None, expires_at__gt=at
    )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
