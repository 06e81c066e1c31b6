"""What people send to this room."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from nobishiro.web.customers.models import Customer, Family
from nobishiro.web.people.models import Division
from nobishiro.web.referrals.models import Question


class ReferralForm(forms.Form):
    """A new referral."""

    code = forms.UUIDField(widget=forms.HiddenInput)
    customer = forms.ModelChoiceField(Customer.objects.filter(is_listed=True), widget=forms.HiddenInput)
    hearing = forms.IntegerField(required=False, widget=forms.HiddenInput)
    to_division = forms.ModelChoiceField(Division.objects.all(), label=_("To which division"))
    family = forms.ModelChoiceField(
        Family.objects.filter(is_listed=True), required=False, to_field_name="code", label=_("Product family"),
        empty_label=_("not known yet"),
    )  # fmt: skip
    heard = forms.CharField(
        label=_("What the customer said"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("In the customer's own words; who said it, and by when they want it."),
    )


class QuestionForm(forms.ModelForm):
    """A question of the checklist."""

    class Meta:
        """Its fields."""

        model = Question
        fields = ["text_ja", "text_en", "division", "family", "position", "is_asked"]
        labels = {
            "text_ja": _("Question (Japanese)"),
            "text_en": _("Question (English)"),
            "division": _("A yes goes to"),
            "family": _("Product family (code)"),
            "position": pgettext_lazy("sequence", "Order"),
            "is_asked": _("Asked on visits"),
        }


class CloseForm(forms.Form):
    """What came of a referral."""

    result = forms.ChoiceField(choices=[("won", _("Won")), ("lost", _("Lost"))])
    amount = forms.DecimalField(required=False, min_value=1, max_digits=18, decimal_places=0, label=_("Amount, yen"))
    reason = forms.CharField(required=False, max_length=400, label=_("Reason it was lost"))
