"""Who works here, and the company's own calendar and settings.

Divisions and reps are imported masters: these rows are a projection of the store's tables (`people.projection`), so that
pages can join them. A user may be a rep: `User.rep`.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from nobishiro.web.core.once import once
from nobishiro.web.core.permissions import Permission, Role, may


class Division(models.Model):
    """事業部, or brand, or shop."""

    code = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")
    is_window = models.BooleanField(default=False)
    """窓口: visits regularly and listens for the others."""

    class Meta:
        """By code."""

        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Rep(models.Model):
    """営業担当."""

    code = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    division = models.ForeignKey(Division, null=True, on_delete=models.SET_NULL, related_name="reps")
    hours_per_month = models.FloatField(null=True)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        """By code."""

        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes accounts; only services do."""

    def create_user(self, email: str, name: str, role: Role, password: str | None = None) -> User:
        """A new account; without a password nobody can sign in until a link was used."""
        user = self.model(email=self.normalize_email(email).lower(), name=name, role=role)
        user.set_password(password) if password else user.set_unusable_password()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """By mail address, whatever its case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """Somebody who logs in. A customer is never a user."""

    ROLES = [
        (Role.MANAGER, _("Sales manager")),
        (Role.REP, _("Sales rep")),
        (Role.MARKETER, _("Marketer")),
        (Role.SHOP_MANAGER, _("Shop manager")),
        (Role.ADMINISTRATOR, _("Administrator")),
    ]
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=ROLES)
    division = models.ForeignKey(Division, null=True, blank=True, on_delete=models.SET_NULL, related_name="users")
    rep = models.OneToOneField(Rep, null=True, blank=True, on_delete=models.SET_NULL, related_name="user")
    language = models.CharField(max_length=2, blank=True, default="")
    """ja, en, or empty for what the browser asks for."""
    yen_unit = models.CharField(max_length=10, default="yen")
    """yen, thousand (千円) or million (百万円)."""
    is_active = models.BooleanField(default=True)
    must_use_mfa = models.BooleanField(default=False)
    session_stamp = models.CharField(max_length=32, blank=True, default="")
    """Part of what every session is signed with: changing it ends all of them."""
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name", "role"]
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        """By name."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def may(self, permission: Permission) -> bool:
        """Whether this person holds the permission."""
        return may(self, permission)

    is_staff = False
    is_superuser = False

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Like Django's, over the password and the stamp: a new one of either ends the sessions made before."""
        salt = "nobishiro.web.people.models.User.session"
        return salted_hmac(salt, f"{self.password}|{self.session_stamp}", secret=secret, algorithm="sha256").hexdigest()


class Invitation(models.Model):
    """A one-time link by which somebody sets a password: the first administrator, a new colleague, one who forgot theirs.

    Only the SHA-256 of its 256 random bits is kept. See `people.invitations`.
    """

    class Purpose(models.TextChoices):
        """What the link is for."""

        FIRST_RUN = "first_run"
        NEW_USER = "new_user"
        NEW_PASSWORD = "new_password"  # noqa: S105 - a word, no password

    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True)
    """Empty for the first administrator, who types it in."""
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=20, choices=User.ROLES)
    division = models.ForeignKey(Division, null=True, on_delete=models.SET_NULL, related_name="+")
    rep = models.ForeignKey(Rep, null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    """Whose password it sets; empty while the account does not exist yet."""
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.email}"


class CompanySettings(models.Model):
    """The company's own facts; one row, `pk` 1."""

    name = models.CharField(max_length=200, default="")
    fiscal_year_starts = models.PositiveSmallIntegerField(default=4)
    """Month, 1–12."""
    closing_day = models.PositiveSmallIntegerField(default=31)
    """締め日; 31 is the month's last day."""
    referral_sla_days = models.PositiveSmallIntegerField(default=1)
    """Business days within which a referral is to be accepted."""
    approach_sla_days = models.PositiveSmallIntegerField(default=10)
    """Business days within which an accepted referral's customer is to be approached."""
    referral_reward = models.DecimalField(max_digits=12, decimal_places=0, default=1000)
    closing_reward = models.DecimalField(max_digits=12, decimal_places=0, default=10000)
    price_shown = models.CharField(max_length=10, default="excluded")
    """税抜 (excluded) or 税込 (included)."""
    administrators_need_mfa = models.BooleanField(default=False)
    """Administrators must sign in with a second factor."""
    is_restricted_cost = models.BooleanField(default=True)
    weekend = models.CharField(max_length=20, default="5,6")
    """Weekdays closed, Monday 0."""
    c_tolerance = models.PositiveSmallIntegerField(default=10)
    """Points by which the share of hours in C may go over the plan's before the map says "too much C"."""
    restored_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> CompanySettings:
        """The one row, the defaults while nobody saved any; read once a request."""
        return once("company settings", lambda: cls.objects.filter(pk=1).first() or cls(pk=1))


class CalendarDay(models.Model):
    """A day that differs from the weekday's rule and the national holidays: closed, or open after all."""

    day = models.DateField(unique=True)
    is_open = models.BooleanField(default=False)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        """By day."""

        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
