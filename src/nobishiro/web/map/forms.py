"""What people send from the map, field by field."""

from __future__ import annotations

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from nobishiro.web.customers.conditions import MOST_IDS, read_ids

MOST_AT_ONCE = 100
"""Tasks made in one go: more than that nobody does, and a slip would flood the lists."""


class LinesForm(forms.Form):
    """Lines to cut the map with; both empty gives them back to the curve."""

    potential = forms.FloatField(min_value=0, max_value=1e15, required=False)
    track_record = forms.FloatField(min_value=0, max_value=1e15, required=False)
    reason = forms.CharField(max_length=500)


class ToleranceForm(forms.Form):
    """Points over the plan from which hours in C are too many."""

    c_tolerance = forms.IntegerField(min_value=0, max_value=100)


class ChosenForm(forms.Form):
    """Customers chosen on the map."""

    ids = forms.CharField(max_length=8000)
    most = MOST_IDS

    def clean_ids(self) -> list[int]:
        """Their numbers."""
        chosen = read_ids(self.cleaned_data["ids"])
        if not chosen:
            raise forms.ValidationError(_("Choose customers first: draw round them, or tick them in the list."))
        if len(chosen) > self.most:
            raise forms.ValidationError(
                _("%(n)d customers are too many at once. Choose at most %(most)d."),
                params={"n": len(chosen), "most": self.most},
            )
        return chosen


class ActionForm(ChosenForm):
    """Chosen customers as やること."""

    most = MOST_AT_ONCE
    key = forms.RegexField(r"^[0-9A-Za-z-]{8,64}$")
    """Made by the page: sent twice, it makes the tasks once."""
    kind = forms.ChoiceField(
        choices=[
            ("propose", _("Propose")),
            ("ask", _("Ask")),
            ("relate", _("Build the relation")),
            ("follow", _("Follow up")),
        ]
    )
    due = forms.DateField()
    whose = forms.ChoiceField(choices=[("owner", _("each customer's rep")), ("me", _("me"))])
    title = forms.CharField(max_length=200, required=False)


class KeepForm(ChosenForm):
    """Chosen customers as a list."""

    name = forms.CharField(max_length=100)


class OverrideForm(forms.Form):
    """A person's quadrant, and why."""

    value = forms.ChoiceField(choices=[(letter, letter) for letter in "ABCD"])
    reason = forms.CharField(max_length=500)


class SheetForm(forms.Form):
    """A sheet of tags."""

    sheet = forms.FileField()


def first_error(form: forms.Form) -> str:
    """What to say of a form that is not right: its first complaint."""
    field, errors = next(iter(form.errors.items()))
    label = "" if field == "__all__" else form.fields[field].label or field
    said = str(cast("list[str]", errors)[0])
    return said if field in ("ids", "__all__") else f"{label}: {said}"
