"""What a karte's forms may say; anything else sent along is not read."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from nobishiro.web.customers.yen_text import parse_yen


class YenField(forms.CharField):
    """Yen as people type them: 1,800,000 or 180万; None when empty."""

    def clean(self, value: object) -> Decimal | None:
        """The amount. Raises `ValidationError` for what is no amount."""
        text = str(super().clean(value) or "")
        if not text:
            return None
        amount = parse_yen(text)
        if amount is None:
            raise forms.ValidationError(_("Enter the amount as a number, such as 1,800,000 or 180万."))
        return amount


class OutcomeForm(forms.Form):
    """One tap, and what goes with it."""

    code = forms.CharField(max_length=96)
    result = forms.CharField(max_length=12)
    family = forms.CharField(max_length=200, required=False)
    product_code = forms.CharField(max_length=200, required=False)
    offer_kind = forms.CharField(max_length=15, required=False)
    touch_kind = forms.CharField(max_length=10, required=False)
    reason = forms.CharField(max_length=400, required=False)
    amount = YenField(max_length=30, required=False)
    minutes = forms.FloatField(min_value=0, max_value=1440, required=False)
    note = forms.CharField(max_length=4000, required=False)


class FactForm(forms.Form):
    """Something learned."""

    fact = forms.CharField(max_length=60)
    subject = forms.CharField(max_length=200, required=False)
    value = forms.CharField(max_length=4000, required=False)
    amount = YenField(max_length=30, required=False)
    learned_on = forms.DateField(required=False)
    source = forms.CharField(max_length=60, required=False)


class OverrideForm(forms.Form):
    """A word over a computed one."""

    measure = forms.CharField(max_length=20)
    value = forms.CharField(max_length=40)
    reason = forms.CharField(max_length=500, required=False)


class HypothesisForm(forms.Form):
    """Family × amount × grounds."""

    family = forms.CharField(max_length=200)
    amount = YenField(max_length=30, required=False)
    grounds = forms.CharField(max_length=2000, required=False)


class TouchForm(forms.Form):
    """A contact to note."""

    code = forms.CharField(max_length=96)
    kind = forms.CharField(max_length=10)
    day = forms.DateField(required=False)
    minutes = forms.FloatField(min_value=0, max_value=1440, required=False)
    subject = forms.CharField(max_length=400, required=False)
    note = forms.CharField(max_length=4000, required=False)
    is_inbound = forms.BooleanField(required=False)
    is_private = forms.BooleanField(required=False)


class CorrectionForm(forms.Form):
    """One field of an imported row."""

    table = forms.CharField(max_length=60)
    row = forms.CharField(max_length=400)
    column = forms.CharField(max_length=60)
    value = forms.CharField(max_length=4000, required=False)
