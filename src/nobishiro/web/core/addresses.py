"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks, as the outermost of our own proxies saw it; empty when unknown.

    `X-Forwarded-For` is read from its end, as many places as proxies of ours stand in front (`NOBISHIRO_PROXIES`): what
    stands before them anybody may have written.
    """
    proxies: int = settings.INSTALLATION.proxies
    said = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    address = said[-proxies] if 0 < proxies <= len(said) else request.META.get("REMOTE_ADDR") or ""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
