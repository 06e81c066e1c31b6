"""The page a one-time link opens: it reads the token from behind the `#`, sends it in a form, and asks for a password."""

from __future__ import annotations

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from nobishiro.web.core.permissions import open_to_all
from nobishiro.web.people.invitations import InvitationUsed, accept_invitation, find_invitation
from nobishiro.web.people.models import Invitation, User


class AcceptForm(forms.Form):
    """Name and password; the mail address is asked on the first run alone."""

    email = forms.EmailField(label=_("Mail address"), max_length=254)
    name = forms.CharField(label=_("Your name"), max_length=100)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same password again"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, invitation: Invitation, data: object = None) -> None:
        super().__init__(data, initial={"name": invitation.name, "email": invitation.email})  # type: ignore[arg-type]
        self.invitation = invitation
        self.fields["password"].help_text = " ".join(password_validators_help_texts())
        if invitation.purpose != Invitation.Purpose.FIRST_RUN:
            del self.fields["email"]
        if invitation.purpose == Invitation.Purpose.NEW_PASSWORD:
            del self.fields["name"]

    def clean(self) -> dict[str, object]:
        """The two passwords agree, and the password is one the company accepts."""
        said: dict[str, object] = super().clean() or self.cleaned_data
        password = str(said.get("password", ""))
        if password and "again" in said and password != said["again"]:
            self.add_error("again", gettext("The two passwords differ."))
        meant = self.invitation.user or User(
            email=str(said.get("email", self.invitation.email)), name=str(said.get("name", self.invitation.name))
        )
        if password:
            try:
                validate_password(password, meant)
            except ValidationError as error:
                self.add_error("password", error)
        return said


@open_to_all
@sensitive_post_parameters("token", "password", "again")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """GET: where the token is read or pasted. POST: with the token the form, with the form's answers the account.

    The site's own referrer policy is enough: no address here has the token, and without any referrer browsers send
    `Origin: null` with a form, which the CSRF check rightly refuses.
    """
    if request.method == "GET":
        return render(request, "people/invitation.html", {})
    if not ratelimit.consume(request, action="invitation"):
        return render(request, "people/invitation.html", {"is_limited": True}, status=429)
    token = request.POST.get("token", "").strip()[:200]
    found = find_invitation(token)
    if found is None:
        return render(request, "people/invitation.html", {"is_unknown": True}, status=404)
    if request.POST.get("step") != "set":
        return render(request, "people/invitation.html", {"found": found, "token": token, "form": AcceptForm(found)})
    form = AcceptForm(found, request.POST)
    if form.is_valid():
        try:
            accept_invitation(
                token=token,
                email=form.cleaned_data.get("email", ""),
                name=form.cleaned_data.get("name", found.name),
                password=form.cleaned_data["password"],
            )
        except InvitationUsed:
            return render(request, "people/invitation.html", {"is_unknown": True}, status=404)
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("Your password is set. Please sign in."))
            return redirect("account_login")
    return render(request, "people/invitation.html", {"found": found, "token": token, "form": form}, status=422)
