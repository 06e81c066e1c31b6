"""Where this installation lives and how it is reached, read once from the environment.

| variable | meaning | default |
|---|---|---|
| NOBISHIRO_WORKSPACE | the workspace's directory | `workspace` |
| NOBISHIRO_DATABASE_URL | `postgresql://user:password@host/name` | SQLite inside the workspace |
| NOBISHIRO_HOSTS | names the site answers to, by commas | `localhost,127.0.0.1,[::1]` |
| NOBISHIRO_HTTPS | 1 behind a proxy that speaks HTTPS: secure cookies, HSTS | 0 |
| NOBISHIRO_PROXIES | how many proxies stand in front and add to X-Forwarded-For | 0 |
| NOBISHIRO_TIME_ZONE | where the company's days end | `Asia/Tokyo` |
| NOBISHIRO_MAIL_URL | `smtp://user:password@host:587?tls=1` | mail goes to `web/mail/` as files |
| NOBISHIRO_MAIL_FROM | sender of our own mail | `nobishiro@localhost` |
| NOBISHIRO_ADDRESS | how people reach the site, for links in mail | the first of the hosts; `serve` says its own |
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from nobishiro.contracts.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Installation:
    """One company's installation."""

    workspace: Path
    database_url: str
    hosts: tuple[str, ...]
    is_https: bool
    proxies: int
    time_zone: str
    mail_url: str
    mail_from: str
    address: str
    """Without a slash at the end."""
    is_demo: bool
    """One-click sign-in exists. Set by the `demo` command for its own child processes, never read from a file."""

    @property
    def home(self) -> Path:
        """The web application's own directory inside the workspace: database, uploads, backups, key."""
        return self.workspace / "web"

    def secret_key(self) -> str:
        """The signing key, made at the first start and readable by the owner alone."""
        path = self.home / "secret-key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(64))
            try:
                os.link(part, path)  # of two processes starting at once, the first one's key holds
            except FileExistsError:
                pass
            finally:
                part.unlink()
        return path.read_text()

    def database(self) -> dict[str, object]:
        """Django's description of the database."""
        if not self.database_url:
            return {
                "ENGINE": "nobishiro.web.config.sqlite",
                "NAME": str(self.home / "people.sqlite3"),
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
                    "PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456;",
                },
            }
        parts = urlsplit(self.database_url)
        if parts.scheme not in ("postgres", "postgresql"):
            raise SettingsError(f"NOBISHIRO_DATABASE_URL: {parts.scheme!r} is no database we know; use postgresql://…")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": query.pop("host", None) or parts.hostname or "",
            "PORT": str(parts.port or ""),
            "OPTIONS": query,
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }

    def mail(self) -> dict[str, object]:
        """Django's mail settings."""
        if not self.mail_url:
            return {
                "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
                "EMAIL_FILE_PATH": str(self.home / "mail"),
            }
        parts = urlsplit(self.mail_url)
        query = parse_qs(parts.query)
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname or "localhost",
            "EMAIL_PORT": parts.port or 25,
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_TLS": query.get("tls", ["0"])[-1] == "1",
            "EMAIL_TIMEOUT": 15,
        }


def read_installation(environment: Mapping[str, str] | None = None) -> Installation:
    """The installation the environment describes. Raises `SettingsError` naming the variable."""
    values = os.environ if environment is None else environment
    proxies = values.get("NOBISHIRO_PROXIES", "0")
    if not proxies.isdigit():
        raise SettingsError(f"NOBISHIRO_PROXIES: {proxies!r} is not a number; say how many proxies stand in front")
    hosts = values.get("NOBISHIRO_HOSTS", "localhost,127.0.0.1,[::1]")
    return Installation(
        workspace=Path(values.get("NOBISHIRO_WORKSPACE", "workspace")).absolute(),
        database_url=values.get("NOBISHIRO_DATABASE_URL", ""),
        hosts=tuple(host.strip() for host in hosts.split(",") if host.strip()),
        is_https=values.get("NOBISHIRO_HTTPS", "0") == "1",
        proxies=int(proxies),
        time_zone=values.get("NOBISHIRO_TIME_ZONE", "Asia/Tokyo"),
        mail_url=values.get("NOBISHIRO_MAIL_URL", ""),
        mail_from=values.get("NOBISHIRO_MAIL_FROM", "nobishiro@localhost"),
        address=values.get("NOBISHIRO_ADDRESS", "").rstrip("/"),
        is_demo=values.get("NOBISHIRO_DEMO", "0") == "1",
    )
