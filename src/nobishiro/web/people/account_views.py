"""自分のアカウント: name, language, how yen are shown, password, second factor, where one is signed in."""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nobishiro.web.core.audit import record
from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Permission, SignedInRequest, requires
from nobishiro.web.people.models import User
from nobishiro.web.people.sessions import end_sessions_elsewhere

_SIGN_IN_VERBS = (
    "sign_in",
    "sign_out",
    "password.change",
    "mfa.add",
    "mfa.remove",
    "mfa.reset",
    "mfa.failed",
    "user.end_sessions",
)


class AccountForm(forms.ModelForm):
    """What a person sets for themselves."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("as the browser asks")), ("ja", "日本語"), ("en", "English")],
    )
    yen_unit = forms.ChoiceField(
        label=_("Yen are shown in"),
        choices=[("yen", _("yen")), ("thousand", _("thousand yen")), ("million", _("million yen"))],
    )

    class Meta:
        """The fields that may be changed, and no other."""

        model = User
        fields = ["name", "language", "yen_unit"]
        labels = {"name": _("Your name")}


@requires(Permission.BE_HERE)
@require_GET
def account(request: SignedInRequest) -> HttpResponse:
    """The page."""
    return _page(request, AccountForm(instance=request.user))


@requires(Permission.BE_HERE)
@require_POST
def save_settings(request: SignedInRequest) -> HttpResponse:
    """Keep name, language and unit."""
    form = AccountForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _page(request, form, status=422)
    if form.has_changed():
        form.save()
        record(request.user, "user.own_settings", f"user:{request.user.pk}", {"changed": form.changed_data})
    messages.success(request, gettext("Saved."))
    return redirect("people:account")


@requires(Permission.BE_HERE)
@require_POST
def end_other_sessions(request: SignedInRequest) -> HttpResponse:
    """Sign out everywhere else."""
    end_sessions_elsewhere(request=request, user=request.user)
    messages.success(request, gettext("You are signed out everywhere else."))
    return redirect("people:account")


def _page(request: SignedInRequest, form: AccountForm, status: int = 200) -> HttpResponse:
    recent = AuditEntry.objects.filter(actor_id=request.user.pk, verb__in=_SIGN_IN_VERBS)[:10]
    said = {"form": form, "has_mfa": is_mfa_enabled(request.user), "recent": recent, "words": _words()}
    return render(request, "people/account.html", said, status=status)


def _words() -> dict[str, str]:
    return {
        "sign_in": gettext("signed in"),
        "sign_out": gettext("signed out"),
        "password.change": gettext("password changed"),
        "mfa.add": gettext("second factor set up"),
        "mfa.remove": gettext("second factor taken off"),
        "mfa.reset": gettext("new recovery codes"),
        "mfa.failed": gettext("wrong code"),
        "user.end_sessions": gettext("sessions ended"),
    }
