"""What the verbs of the audit trail mean, in words. A verb that is missing here fails a test."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy as _

VERBS: Final[dict[str, str | Promise]] = {
    "action.add": _("audit", "put on the work list"),
    "action.drop": _("audit", "took off the work list"),
    "action.finish": _("audit", "ended a piece of work"),
    "action.reopen": _("audit", "put back on the work list"),
    "backup.ask": _("audit", "asked for a backup"),
    "backup.make": _("audit", "a backup was made"),
    "backup.remove": _("audit", "removed a backup"),
    "backup.restore": _("audit", "a backup was restored"),
    "backup.take": _("audit", "took a backup away"),
    "correction.set": _("audit", "corrected a master"),
    "denied": _("audit", "was denied"),
    "fact.add": _("audit", "entered a fact"),
    "fact.withdraw": _("audit", "withdrew a fact"),
    "hypothesis.add": _("audit", "entered a hypothesis"),
    "import.commit": _("audit", "imported a file"),
    "import.discard": _("audit", "discarded an import"),
    "import.mapping": _("audit", "kept how columns are read"),
    "import.rejected_file": _("audit", "took the rejected rows"),
    "import.undo": _("audit", "an import was taken back"),
    "import.undo_asked": _("audit", "asked to take an import back"),
    "import.upload": _("audit", "uploaded a file"),
    "introduction.ask": _("audit", "asked a customer for an introduction"),
    "job.retry": _("audit", "tried a job again"),
    "job.stop": _("audit", "stopped a job"),
    "list.export": _("audit", "took a list out as a file"),
    "list.forget": _("audit", "removed a kept list"),
    "list.keep": _("audit", "kept a list"),
    "list.share": _("audit", "shared a list"),
    "list.unshare": _("audit", "stopped sharing a list"),
    "lucky.reopen": _("audit", "took up a lucky order again"),
    "lucky.settle": _("audit", "settled a lucky order"),
    "map.tolerance": _("audit", "set how far hours may go over the plan"),
    "match.decide": _("audit", "decided whether two customers are one"),
    "mfa.add": _("audit", "added a second factor"),
    "mfa.failed": _("audit", "second factor failed"),
    "mfa.remove": _("audit", "removed a second factor"),
    "mfa.reset": _("audit", "reset somebody's second factor"),
    "morning_mail.set": _("audit", "changed the morning mail"),
    "outcome.record": _("audit", "entered an outcome"),
    "outcome.withdraw": _("audit", "withdrew an outcome"),
    "override.set": _("audit", "overrode a figure"),
    "override.withdraw": _("audit", "withdrew an override"),
    "password.change": _("audit", "changed the password"),
    "praise": _("audit", "gave praise"),
    "question.save": _("audit", "changed the hearing questions"),
    "referral.accept": _("audit", "accepted a referral"),
    "referral.check": _("audit", "checked an approach"),
    "referral.return": _("audit", "gave a referral back"),
    "referral.send": _("audit", "referred a customer"),
    "reward.reverse": _("audit", "reversed a reward"),
    "run.ask": _("audit", "asked for the figures to be computed"),
    "sign_in": _("audit", "signed in"),
    "sign_in.failed": _("audit", "failed to sign in"),
    "sign_in.locked": _("audit", "was locked out"),
    "sign_out": _("audit", "signed out"),
    "tags.check": _("audit", "tried a file of tags"),
    "tags.drop": _("audit", "discarded a file of tags"),
    "tags.import": _("audit", "imported tags"),
    "tag.set": _("audit", "set a tag"),
    "touch.add": _("audit", "entered a contact"),
    "touch.amend": _("audit", "amended a contact"),
    "touch.withdraw": _("audit", "withdrew a contact"),
    "user.end_sessions": _("audit", "ended all sessions"),
    "user.invite": _("audit", "invited somebody"),
    "user.invite_withdraw": _("audit", "withdrew an invitation"),
    "user.join": _("audit", "took up an invitation"),
    "user.own_settings": _("audit", "changed their own settings"),
    "user.password_link": _("audit", "made a link for a new password"),
}


def verb_words(verb: str) -> str:
    """What a verb means; itself when nobody said."""
    return str(VERBS.get(verb, verb))
