"""The company's own settings and days, as forms."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from nobishiro.web.people.calendar import read_weekend
from nobishiro.web.people.models import CompanySettings

WEEKDAYS = [
    ("0", _("Monday")),
    ("1", _("Tuesday")),
    ("2", _("Wednesday")),
    ("3", _("Thursday")),
    ("4", _("Friday")),
    ("5", _("Saturday")),
    ("6", _("Sunday")),
]
_MONTHS = [(number, f"{number}") for number in range(1, 13)]
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_LINES = 400


class CompanyForm(forms.ModelForm):
    """What holds for the whole company."""

    fiscal_year_starts = forms.TypedChoiceField(label=_("Fiscal year begins in month"), choices=_MONTHS, coerce=int)
    closing_day = forms.IntegerField(
        label=_("Closing day"), min_value=1, max_value=31, help_text=_("31 is the last day of the month.")
    )
    price_shown = forms.ChoiceField(
        label=_("Amounts are"), choices=[("excluded", _("without tax")), ("included", _("with tax"))]
    )
    weekend = forms.MultipleChoiceField(
        label=_("Closed on"), choices=WEEKDAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    referral_sla_days = forms.IntegerField(label=_("Business days to accept a referral"), min_value=1, max_value=30)
    approach_sla_days = forms.IntegerField(
        label=_("Business days to approach the customer after that"), min_value=1, max_value=90
    )
    referral_reward = forms.DecimalField(
        label=_("Reward for a referral (yen)"), min_value=0, max_value=10**9, decimal_places=0
    )
    closing_reward = forms.DecimalField(
        label=_("Reward when it is won (yen)"), min_value=0, max_value=10**9, decimal_places=0
    )

    class Meta:
        """The fields that may be changed, and no other."""

        model = CompanySettings
        fields = [
            "name", "fiscal_year_starts", "closing_day", "price_shown", "weekend", "referral_sla_days", "approach_sla_days",
            "referral_reward", "closing_reward", "administrators_need_mfa",
        ]  # fmt: skip
        labels = {
            "name": _("Company name"),
            "administrators_need_mfa": _("administrators must sign in with a second factor"),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.initial["weekend"] = [part for part in str(self.instance.weekend).split(",") if part]

    def clean_weekend(self) -> str:
        """As it is kept: weekdays by commas; not all seven."""
        said = ",".join(sorted(self.cleaned_data["weekend"]))
        if len(read_parts(said)) == 7:
            raise forms.ValidationError(gettext("Leave at least one weekday open."))
        read_weekend(said)
        return said


class DayForm(forms.Form):
    """One day that differs."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    is_open = forms.TypedChoiceField(
        label=_("The company is"),
        choices=[("0", pgettext_lazy("day", "closed")), ("1", pgettext_lazy("day", "open"))],
        coerce=lambda said: said == "1",
    )
    name = forms.CharField(label=_("What for"), max_length=100, required=False)


class PasteForm(forms.Form):
    """A list of days from elsewhere: one a line, a date and perhaps a name."""

    lines = forms.CharField(
        label=_("Days, one a line"), max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8, "placeholder": "2026/12/29 年末休業\n2026/12/30 年末休業"}),
    )  # fmt: skip
    is_open = forms.TypedChoiceField(
        label=_("On these days the company is"),
        choices=[("0", pgettext_lazy("day", "closed")), ("1", pgettext_lazy("day", "open"))],
        coerce=lambda said: said == "1",
    )

    def clean_lines(self) -> list[tuple[date, str]]:
        """Dates with names; says which line is none."""
        found: dict[date, str] = {}
        lines = unicodedata.normalize("NFKC", self.cleaned_data["lines"]).splitlines()
        if len(lines) > _LINES:
            raise forms.ValidationError(gettext("At most %(n)d lines at once.") % {"n": _LINES})
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            match = _DAY.search(line)
            try:
                day = date(*(int(part) for part in match.groups())) if match else None
            except ValueError:
                day = None
            if match is None or day is None:
                raise forms.ValidationError(gettext("Line %(n)d has no date. Write it as 2026/12/29.") % {"n": number})
            rest = re.sub(r"^\s*\(.\)", "", line[match.end() :])
            found[day] = rest.strip(" \t,、:;\"'")[:100]
        return sorted(found.items())


def read_parts(text: str) -> list[str]:
    """The parts of `5,6`."""
    return [part for part in text.split(",") if part]
