"""What the verbs of the audit trail mean, in words. A verb that is missing here fails a test."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

VERBS: Final[dict[str, str | Promise]] = {
    "action.add": pgettext_lazy("audit", "put on the work list"),
    "action.drop": pgettext_lazy("audit", "took off the work list"),
    "action.finish": pgettext_lazy("audit", "ended a piece of work"),
    "action.reopen": pgettext_lazy("audit", "put back on the work list"),
    "backup.ask": pgettext_lazy("audit", "asked for a backup"),
    "backup.make": pgettext_lazy("audit", "a backup was made"),
    "backup.remove": pgettext_lazy("audit", "removed a backup"),
    "backup.restore": pgettext_lazy("audit", "a backup was restored"),
    "backup.take": pgettext_lazy("audit", "took a backup away"),
    "correction.set": pgettext_lazy("audit", "corrected a master"),
    "denied": pgettext_lazy("audit", "was denied"),
    "fact.add": pgettext_lazy("audit", "entered a fact"),
    "fact.withdraw": pgettext_lazy("audit", "withdrew a fact"),
    "hypothesis.add": pgettext_lazy("audit", "entered a hypothesis"),
    "import.commit": pgettext_lazy("audit", "imported a file"),
    "import.discard": pgettext_lazy("audit", "discarded an import"),
    "import.mapping": pgettext_lazy("audit", "kept how columns are read"),
    "import.rejected_file": pgettext_lazy("audit", "took the rejected rows"),
    "import.undo": pgettext_lazy("audit", "an import was taken back"),
    "import.undo_asked": pgettext_lazy("audit", "asked to take an import back"),
    "import.upload": pgettext_lazy("audit", "uploaded a file"),
    "introduction.ask": pgettext_lazy("audit", "asked a customer for an introduction"),
    "job.retry": pgettext_lazy("audit", "tried a job again"),
    "job.stop": pgettext_lazy("audit", "stopped a job"),
    "list.export": pgettext_lazy("audit", "took a list out as a file"),
    "list.forget": pgettext_lazy("audit", "removed a kept list"),
    "list.keep": pgettext_lazy("audit", "kept a list"),
    "list.share": pgettext_lazy("audit", "shared a list"),
    "list.unshare": pgettext_lazy("audit", "stopped sharing a list"),
    "lucky.reopen": pgettext_lazy("audit", "took up a lucky order again"),
    "lucky.settle": pgettext_lazy("audit", "settled a lucky order"),
    "map.tolerance": pgettext_lazy("audit", "set how far hours may go over the plan"),
    "match.decide": pgettext_lazy("audit", "decided whether two customers are one"),
    "mfa.add": pgettext_lazy("audit", "added a second factor"),
    "mfa.failed": pgettext_lazy("audit", "second factor failed"),
    "mfa.remove": pgettext_lazy("audit", "removed a second factor"),
    "mfa.reset": pgettext_lazy("audit", "reset somebody's second factor"),
    "morning_mail.set": pgettext_lazy("audit", "changed the morning mail"),
    "outcome.record": pgettext_lazy("audit", "entered an outcome"),
    "outcome.withdraw": pgettext_lazy("audit", "withdrew an outcome"),
    "override.set": pgettext_lazy("audit", "overrode a figure"),
    "override.withdraw": pgettext_lazy("audit", "withdrew an override"),
    "password.change": pgettext_lazy("audit", "changed the password"),
    "praise": pgettext_lazy("audit", "gave praise"),
    "question.save": pgettext_lazy("audit", "changed the hearing questions"),
    "referral.accept": pgettext_lazy("audit", "accepted a referral"),
    "referral.check": pgettext_lazy("audit", "checked an approach"),
    "referral.return": pgettext_lazy("audit", "gave a referral back"),
    "referral.send": pgettext_lazy("audit", "referred a customer"),
    "reward.reverse": pgettext_lazy("audit", "reversed a reward"),
    "run.ask": pgettext_lazy("audit", "asked for the figures to be computed"),
    "sign_in": pgettext_lazy("audit", "signed in"),
    "sign_in.failed": pgettext_lazy("audit", "failed to sign in"),
    "sign_in.locked": pgettext_lazy("audit", "was locked out"),
    "sign_out": pgettext_lazy("audit", "signed out"),
    "tags.check": pgettext_lazy("audit", "tried a file of tags"),
    "tags.drop": pgettext_lazy("audit", "discarded a file of tags"),
    "tags.import": pgettext_lazy("audit", "imported tags"),
    "tag.set": pgettext_lazy("audit", "set a tag"),
    "touch.add": pgettext_lazy("audit", "entered a contact"),
    "touch.amend": pgettext_lazy("audit", "amended a contact"),
    "touch.withdraw": pgettext_lazy("audit", "withdrew a contact"),
    "user.end_sessions": pgettext_lazy("audit", "ended all sessions"),
    "user.invite": pgettext_lazy("audit", "invited somebody"),
    "user.invite_withdraw": pgettext_lazy("audit", "withdrew an invitation"),
    "user.join": pgettext_lazy("audit", "took up an invitation"),
    "user.own_settings": pgettext_lazy("audit", "changed their own settings"),
    "user.password_link": pgettext_lazy("audit", "made a link for a new password"),
}


def verb_words(verb: str) -> str:
    """What a verb means; itself when nobody said."""
    return str(VERBS.get(verb, verb))
