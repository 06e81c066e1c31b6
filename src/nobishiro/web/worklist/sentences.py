"""The sentence at the top of each page, made from today's figures."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext, pgettext

from nobishiro.web.core.templatetags.nobishiro import day as day_text
from nobishiro.web.core.templatetags.nobishiro import is_japanese, short

if TYPE_CHECKING:
    from nobishiro.web.worklist.cards import DayList
    from nobishiro.web.worklist.look_back import LookBack
    from nobishiro.web.worklist.models import LuckyOrder
    from nobishiro.web.worklist.report import DayReport
    from nobishiro.web.worklist.team import TeamRow


def joined(*sentences: str) -> str:
    """One after the other, with a space where the language wants one."""
    return ("" if is_japanese() else " ").join(sentence for sentence in sentences if sentence)


def day_sentence(day: DayList) -> str:
    """今週お会いしたいのは 12 社。うち B の 4 社は 30 日以上ご訪問がありません。"""
    week = day.week
    if not week.customers:
        if week.first_due is not None:
            return gettext("Nobody is to be seen this week; the next on %(day)s.") % {"day": day_text(week.first_due)}
        return gettext("Everyone on your list has been seen.") if day.cards else gettext("Nobody is on your list yet.")
    if week.is_next:
        said = ngettext(
            "%(n)d customer to see next week.", "%(n)d customers to see next week.", week.customers
        ) % {"n": week.customers}  # fmt: skip
    else:
        said = ngettext(
            "%(n)d customer to see this week.", "%(n)d customers to see this week.", week.customers
        ) % {"n": week.customers}  # fmt: skip
    unseen = late = ""
    if week.b_unseen:
        unseen = ngettext(
            "Among them %(n)d of B has not been seen for 30 days or more.",
            "Among them %(n)d of B have not been seen for 30 days or more.",
            week.b_unseen,
        ) % {"n": week.b_unseen}
    elif week.late:
        late = ngettext("%(n)d is late.", "%(n)d are late.", week.late) % {"n": week.late}
    return joined(said, unseen, late)


def team_sentence(team: list[TeamRow]) -> str:
    """Whose list runs late."""
    late = [row for row in team if row.late]
    if not team:
        return gettext("Nobody has anything planned yet.")
    if not late:
        return gettext("Nobody's list is late.")
    first = max(late, key=lambda row: row.late)
    total = sum(row.late for row in late)
    return joined(
        ngettext("%(n)d proposal is late.", "%(n)d proposals are late.", total) % {"n": total},
        gettext("Most of them are with %(name)s (%(n)d).") % {"name": first.name, "n": first.late},
    )


def report_sentence(day: DayReport, on: date, today: date) -> str:
    """How many were seen, and how long it took."""
    when = pgettext("worklist", "Today") if on == today else day_text(on)
    if not day.entries:
        return gettext("%(day)s: no contact is written yet.") % {"day": when}
    said = ngettext(
        "%(day)s: %(n)d customer, %(hours)s hours.", "%(day)s: %(n)d customers, %(hours)s hours.", day.customers
    ) % {"day": when, "n": day.customers, "hours": f"{day.minutes / 60:,.1f}"}  # fmt: skip
    if day.unknown:
        missing = ngettext(
            "Of %(n)d contact the minutes are missing.", "Of %(n)d contacts the minutes are missing.", day.unknown
        ) % {"n": day.unknown}  # fmt: skip
        return joined(said, missing)
    return said


def lucky_sentence(count: int, total: float, first: LuckyOrder | None) -> str:
    """How much came by luck, and whom to ask first."""
    if first is None:
        return gettext("No order waits to be asked about.")
    said = ngettext(
        "%(n)d order worth %(yen)s came without us, and we hardly know why.",
        "%(n)d orders worth %(yen)s came without us, and we hardly know why.",
        count,
    ) % {"n": count, "yen": short(total)}
    return joined(said, gettext("First ask %(name)s.") % {"name": first.customer.name})


def five_sentence(known: int, asked: int) -> str:
    """How far the five minutes are."""
    if not asked:
        return gettext("What do you know of these customers that nobody has written down?")
    return ngettext(
        "%(n)d thing kept that was only in your head.", "%(n)d things kept that were only in your head.", known
    ) % {"n": known}  # fmt: skip


def look_back_sentence(said: LookBack) -> str:
    """What came of the proposals."""
    if not said.proposals:
        return gettext("No proposal was made in this time.")
    text = ngettext(
        "%(n)d proposal, %(won)d won.", "%(n)d proposals, %(won)d won.", said.proposals
    ) % {"n": said.proposals, "won": said.won}  # fmt: skip
    if said.is_few:
        return joined(text, gettext("Still few, so read the rate as a range."))
    return text
