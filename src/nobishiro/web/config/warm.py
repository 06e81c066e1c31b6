"""The site as `serve` runs it: warm before it takes its first request.

A first request compiles templates, reads catalogues and opens the newest run; here the process asks itself first.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterable
from typing import Final, cast
from wsgiref.util import setup_testing_defaults

from django.conf import settings

from nobishiro.web.config.parts import die_with_parent
from nobishiro.web.config.wsgi import application

__all__ = ["application"]
_LOGGER: Final = logging.getLogger("nobishiro.serve")
_ASKED: Final = ("/healthz", "/account/login/", "/no-such-page")


def warm_up() -> None:
    """Answer a few pages in both languages; a failure is logged and met again by whoever asks first."""
    for language in ("ja", "en"):
        for path in _ASKED:
            environ: dict[str, object] = {
                "PATH_INFO": path,
                "HTTP_ACCEPT_LANGUAGE": language,
                "REMOTE_ADDR": "127.0.0.1",
            }
            setup_testing_defaults(environ)
            environ["HTTP_HOST"] = next((name for name in settings.ALLOWED_HOSTS if name[:1] not in "*."), "localhost")
            environ["HTTP_X_FORWARDED_PROTO"] = "https" if settings.INSTALLATION.is_https else "http"
            try:
                answer = cast("Callable[..., Iterable[bytes]]", application)(environ, lambda *_: None)
                for _part in answer:
                    pass
                getattr(answer, "close", lambda: None)()
            except Exception as error:
                _LOGGER.warning("warming up %s failed (%s)", path, type(error).__name__)


die_with_parent(signal.SIGKILL)  # granian's own workers, when granian itself is killed: nobody else would end them
warm_up()
