"""How a job that failed is told: in words a person can act on, in their language, without anything of the log."""

from __future__ import annotations

import logging
import secrets
import traceback
from typing import Final

from django.utils.translation import gettext

from nobishiro.contracts.errors import (
    BadInput,
    CommitNotFound,
    MissingCapability,
    NobishiroError,
    NotAWorkspace,
    NotEnoughHistory,
    SettingsError,
    UnknownName,
    WorkspaceTooNew,
)
from nobishiro.pipelines.wording import word
from nobishiro.web.core.templatetags.nobishiro import is_japanese

_LOGGER: Final = logging.getLogger("nobishiro.jobs")
WORKER_DIED: Final = "!worker-died"
UNKNOWN_KIND: Final = "!unknown-kind"
_UNEXPECTED: Final = "!unexpected "
_HOPELESS: Final = (
    BadInput, SettingsError, UnknownName, NotEnoughHistory, NotAWorkspace, WorkspaceTooNew, CommitNotFound,
    MissingCapability,
)  # fmt: skip
"""Errors that trying again cannot mend."""


def describe_failure(error: BaseException, kind: str, job_id: int) -> tuple[str, bool]:
    """What to keep as `Job.error`, and whether trying again could help.

    What we did not foresee is kept as a reference only; the log has the place under it, not the message, which may quote
    a customer's data.
    """
    if isinstance(error, NobishiroError):
        return str(error)[:4000], not isinstance(error, _HOPELESS)
    reference = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    place = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    _LOGGER.error("job %s #%s failed [%s] %s\n%s", kind, job_id, reference, type(error).__name__, place)
    return _UNEXPECTED + reference, True


def error_words(error: str) -> str:
    """`Job.error` in the page's language; "" when there is none."""
    if error == WORKER_DIED:
        return gettext("The worker stopped in the middle of it every time. It was given up so that others can go on.")
    if error == UNKNOWN_KIND:
        return gettext("This version does not know such a job any more.")
    if error.startswith(_UNEXPECTED):
        said = gettext(
            "Something unexpected happened. Your administrator finds the reason in the log under %(reference)s."
        )
        return said % {"reference": error.removeprefix(_UNEXPECTED)}
    return word(error, "ja" if is_japanese() else "en")
