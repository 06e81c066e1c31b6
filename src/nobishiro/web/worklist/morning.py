"""The morning mail: a rep's list at eight, once a day, only to those who asked for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from nobishiro.contracts.errors import NobishiroError
from nobishiro.web.core.company import company_card
from nobishiro.web.core.jobs.registry import JobContext
from nobishiro.web.core.permissions import Permission
from nobishiro.web.people.calendar import current_calendar
from nobishiro.web.people.models import User
from nobishiro.web.worklist.cards import DayList, day_list
from nobishiro.web.worklist.models import MorningMail, MorningMailSent
from nobishiro.web.worklist.sentences import day_sentence

_LOGGER: Final = logging.getLogger("nobishiro.worklist")
_REFUSED: Final = (SMTPSenderRefused, SMTPRecipientsRefused, SMTPDataError)
"""The server answered, and said no: it has nothing, so that sending again is no second mail."""


class MailNotSent(NobishiroError):
    """Some morning mails were not taken by the mail server; the job tries those again."""


@dataclass(frozen=True, slots=True)
class MorningReport:
    """What went out."""

    sent: int
    empty: int
    unknown: int
    """Handed over, but the server's answer never came; not sent again."""


def wants_mail(user: User) -> bool:
    """Whether this person asked for the morning mail."""
    return MorningMail.objects.filter(user=user, is_wanted=True).exists()


def send_morning_mails(*, at: datetime, job: JobContext | None = None) -> MorningReport:
    """Mail today's list to whoever asked for it; nothing on days the company is closed, nothing twice.

    A row is written before a mail is handed over, so that a run that starts again leaves out what may have gone out.
    Raises `MailNotSent` at the end when the server would not take some; those alone are tried by the next run.
    """
    on = timezone.localdate(at)
    if not current_calendar().is_business_day(on):
        return MorningReport(0, 0, 0)
    people = list(
        User.objects.filter(morning_mail__is_wanted=True, is_active=True, rep__isnull=False)
        .select_related("rep")
        .order_by("pk")
    )
    counts = dict.fromkeys(MorningMailSent.State.values, 0)
    connection = get_connection()
    try:
        for done, user in enumerate(people):
            if job is not None:
                job.progress("morning_mail", done, len(people))
            row = _claim(user, at) if user.may(Permission.WORK) else None
            if row is not None:
                row.state = _send_one(user, connection, at)
                row.save(update_fields=["state", "at"])
                counts[row.state] += 1
    finally:
        connection.close()
    if counts["failed"]:
        raise MailNotSent(
            f"the mail server did not take {counts['failed']} of {len(people)} morning mails; "
            "look at NOBISHIRO_MAIL_URL and whether the server can be reached"
        )
    return MorningReport(counts["sent"], counts["empty"], counts["sending"])


def _claim(user: User, at: datetime) -> MorningMailSent | None:
    """This morning's row, written; None when the mail went out, or may have."""
    on = timezone.localdate(at)
    try:
        with transaction.atomic():
            return MorningMailSent.objects.create(user=user, day=on)
    except IntegrityError:
        again = MorningMailSent.objects.filter(user=user, day=on, state=MorningMailSent.State.FAILED)
        if again.update(state=MorningMailSent.State.SENDING):
            return MorningMailSent.objects.get(user=user, day=on)
        return None


def _send_one(user: User, connection: BaseEmailBackend, at: datetime) -> MorningMailSent.State:
    with translation.override(user.language or settings.LANGUAGE_CODE):
        day = day_list(user.rep, viewer=user, at=at)
        if not any(card.outcome is None for card in day.cards):
            return MorningMailSent.State.EMPTY
        mail = compose(user, day)
    mail.connection = connection
    try:
        connection.open()
    except OSError as error:  # what smtplib raises is an OSError too
        _LOGGER.warning("morning mail: the server cannot be reached (%s)", type(error).__name__)
        return MorningMailSent.State.FAILED
    try:
        mail.send()
    except _REFUSED as error:
        _LOGGER.warning("morning mail to user %s refused (%s)", user.pk, type(error).__name__)
        return MorningMailSent.State.FAILED
    except OSError as error:  # cut off after the server may have taken it
        _LOGGER.warning("morning mail to user %s: no answer (%s)", user.pk, type(error).__name__)
        connection.close()
        return MorningMailSent.State.SENDING
    return MorningMailSent.State.SENT


def compose(user: User, day: DayList) -> EmailMultiAlternatives:
    """Today's list as text and simple HTML in the active language: names, offers and links, no yen, no notes."""
    company = company_card()
    shown = {
        "user": user,
        "day": day,
        "cards": [card for card in day.cards if card.outcome is None],
        "sentence": day_sentence(day),
        "site": site_address(),
        "today": site_address() + reverse("worklist:today"),
        "stop": site_address() + reverse("worklist:mail"),
        "company": company,
        "language": translation.get_language(),
    }
    subject = gettext("%(n)d customers for today") % {"n": len(shown["cards"])}  # type: ignore[arg-type]
    mail = EmailMultiAlternatives(
        subject, render_to_string("worklist/mails/morning.txt", shown), to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    mail.attach_alternative(render_to_string("worklist/mails/morning.html", shown), "text/html")
    return mail


def site_address() -> str:
    """Where the site is reached: the first of its names."""
    installation = settings.INSTALLATION
    return installation.address or f"{'https' if installation.is_https else 'http'}://{installation.hosts[0]}"
