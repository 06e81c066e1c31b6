"""Forms of accounts: only the named fields are read, whatever else is sent."""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nobishiro.web.people.models import Rep, User


class UserForm(forms.ModelForm):
    """What an administrator sets for somebody."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("as the browser asks")), ("ja", "日本語"), ("en", "English")],
    )

    class Meta:
        """The fields that may be changed, and no other."""

        model = User
        fields = ["name", "email", "role", "division", "rep", "language", "must_use_mfa"]
        labels = {
            "name": _("Name"),
            "email": _("Mail address"),
            "role": _("Role"),
            "division": _("Division"),
            "rep": _("Is the rep"),
            "must_use_mfa": _("must sign in with a second factor"),
        }
        help_texts = {"rep": _("Today's proposals and targets of this rep are shown to this person.")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["rep"].queryset = _free_reps(self.instance)  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        """In small letters, and nobody else's."""
        email = str(self.cleaned_data["email"]).strip().lower()
        if User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(gettext("There is an account with this mail address already."))
        return email


class InviteForm(UserForm):
    """Whom to invite, and as what."""

    class Meta(UserForm.Meta):
        """The same without what the person chooses later."""

        fields = ["name", "email", "role", "division", "rep"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("language", None)
        self.fields["name"].required = False
        self.fields["name"].help_text = _("They may change it.")


def _free_reps(user: User) -> QuerySet[Rep]:
    return Rep.objects.filter(Q(user=None) | Q(user=user.pk)) if user.pk else Rep.objects.filter(user=None)
