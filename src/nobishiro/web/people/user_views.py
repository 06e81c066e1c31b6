"""ユーザー: the list, inviting, one person's page."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nobishiro.web.core.models import AuditEntry
from nobishiro.web.core.permissions import Permission, Role, SignedInRequest, requires
from nobishiro.web.people.confirmation import to_confirm_first
from nobishiro.web.people.invitations import (
    Invited,
    invite,
    mail_invitation,
    new_password_link,
    open_invitations,
    withdraw_invitation,
)
from nobishiro.web.people.models import Invitation, User
from nobishiro.web.people.sessions import end_sessions
from nobishiro.web.people.user_forms import InviteForm, UserForm
from nobishiro.web.people.users import (
    LastAdministrator,
    all_users,
    change_user,
    disable_user,
    enable_user,
    kept_of,
    take_factors_off,
)


@requires(Permission.ADMINISTER)
@require_GET
def users(request: SignedInRequest) -> HttpResponse:
    """Everybody who signs in, and open invitations."""
    everybody = list(all_users())
    active = [user for user in everybody if user.is_active]
    said = {
        "users": everybody,
        "active": len(active),
        "without_mfa": sum(not user.has_mfa for user in active),  # type: ignore[attr-defined]
        "invitations": open_invitations(),
    }
    return render(request, "people/users.html", said)


@requires(Permission.ADMINISTER)
@require_http_methods(["GET", "POST"])
def invite_user(request: SignedInRequest) -> HttpResponse:
    """The form; after it the link, shown this once. No redirect between: the link is kept nowhere it could be read from."""
    confirm = to_confirm_first(request, reverse("people:invite"))
    if confirm is not None:
        return confirm
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        invited = invite(
            by=request.user, email=said["email"], name=said["name"], role=Role(said["role"]), division=said["division"],
            rep=said["rep"],
        )  # fmt: skip
        return _show_link(request, invited)
    return render(request, "people/invite.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.ADMINISTER)
@require_POST
def invitation_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """End an open invitation."""
    withdraw_invitation(by=request.user, invitation=get_object_or_404(Invitation, pk=pk))
    messages.success(request, gettext("The invitation is withdrawn."))
    return redirect("people:users")


@requires(Permission.ADMINISTER)
@require_http_methods(["GET", "POST"])
def user(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person: role, division, rep, language, second factor; POST keeps them."""
    person = get_object_or_404(all_users(), pk=pk)
    before = kept_of(person)
    form = UserForm(request.POST or None, instance=person)
    if request.method == "POST":
        confirm = to_confirm_first(request, reverse("people:user", args=[pk]))
        if confirm is not None:
            return confirm
        if form.is_valid():
            try:
                change_user(by=request.user, user=form.instance, before=before)
            except LastAdministrator as error:
                form.add_error("role", str(error))
            else:
                messages.success(request, gettext("Saved."))
                return redirect("people:users")
    history = AuditEntry.objects.filter(subject=f"user:{pk}")[:10]
    said = {"person": get_object_or_404(all_users(), pk=pk), "form": form, "history": history}
    return render(request, "people/user.html", said, status=422 if form.errors else 200)


@requires(Permission.ADMINISTER)
@require_POST
def user_password_link(request: SignedInRequest, pk: int) -> HttpResponse:
    """A link for a new password, shown this once."""
    person = get_object_or_404(User, pk=pk, is_active=True)
    confirm = to_confirm_first(request, reverse("people:user", args=[pk]))
    return confirm or _show_link(request, new_password_link(by=request.user, user=person))


@requires(Permission.ADMINISTER)
@require_POST
def user_disable(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close the account."""
    return _do(
        request, pk, lambda person: disable_user(by=request.user, user=person), gettext("The account is closed.")
    )


@requires(Permission.ADMINISTER)
@require_POST
def user_enable(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open it again."""
    return _do(
        request, pk, lambda person: enable_user(by=request.user, user=person), gettext("The account is open again.")
    )


@requires(Permission.ADMINISTER)
@require_POST
def user_end_sessions(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign somebody out everywhere."""
    return _do(
        request, pk, lambda person: end_sessions(by=request.user, user=person), gettext("Signed out everywhere.")
    )


@requires(Permission.ADMINISTER)
@require_POST
def user_factors_off(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a lost second factor off."""
    done = gettext("The second factor is off. Ask them to set up a new one.")
    return _do(request, pk, lambda person: take_factors_off(by=request.user, user=person), done)


def _do(request: SignedInRequest, pk: int, act: Callable[[User], None], done: str) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    back = reverse("people:user", args=[pk])
    confirm = to_confirm_first(request, back)
    if confirm is not None:
        return confirm
    try:
        act(person)
    except LastAdministrator as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect(back)


def _show_link(request: SignedInRequest, invited: Invited) -> HttpResponse:
    base = request.build_absolute_uri("/")
    said = {"invited": invited.invitation, "link": invited.link(base), "is_mailed": mail_invitation(invited, base)}
    return render(request, "people/link_once.html", said)
