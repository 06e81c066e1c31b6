"""`nobishiro invite`: a one-time link by which a colleague sets a password."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from nobishiro.cli.options import DEFAULT_WORKSPACE, JsonOption, LanguageOption, WorkspaceOption
from nobishiro.cli.serve import need_web
from nobishiro.cli.terminal import Terminal, default_language, wrong_usage
from nobishiro.contracts.errors import BadInput, NotAWorkspace

_ROLES = ("manager", "rep", "marketer", "shop_manager", "administrator")


def invite(
    email: Annotated[str, typer.Argument(help="Mail address to sign in with.")],
    role: Annotated[str, typer.Option("--role", help=f"One of {', '.join(_ROLES)}.")] = "rep",
    name: Annotated[str, typer.Option("--name", help="Name as shown (they may change it).")] = "",
    url: Annotated[str, typer.Option("--url", help="Address of the site.")] = "http://127.0.0.1:8000",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
) -> None:
    """Print a link by which somebody sets a password; for an address that has an account, a new password.

    The link works once, for seven days, and ends any older one of the same address.

    Example: nobishiro invite sato@example.jp --role manager --url https://nobishiro.example.jp -w acme
    """
    if role not in _ROLES:
        raise wrong_usage(f"--role {role!r}: there are {', '.join(_ROLES)}")
    if "@" not in email:
        raise BadInput(f"{email!r} is no mail address; write it as name@example.jp")
    need_web()
    if not (workspace / "web").is_dir():
        raise NotAWorkspace(f"{workspace}: there is no web application here yet; start it once with `nobishiro serve`")
    os.environ["NOBISHIRO_WORKSPACE"] = str(workspace.absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nobishiro.web.config.settings")
    import django

    django.setup()
    from nobishiro.web.core.permissions import Role
    from nobishiro.web.people.invitations import invite as invite_person
    from nobishiro.web.people.invitations import new_password_link
    from nobishiro.web.people.models import User

    known = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if known is not None:
        invited = new_password_link(by=None, user=known)
    else:
        try:
            invited = invite_person(by=None, email=email, name=name, role=Role(role))
        except ValueError as error:
            raise BadInput(f"{email}: the account is disabled; enable it under Users and divisions") from error
    link = invited.link(url)
    terminal = Terminal(lang or default_language(), as_json)
    terminal.say("invite.password" if known else "invite.link", email=email, link=link)
    terminal.document({"email": email, "link": link, "expires_at": invited.invitation.expires_at.isoformat()})
