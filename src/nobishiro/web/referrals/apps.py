"""The Django app."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Registers `referrals`."""

    name = "nobishiro.web.referrals"
    label = "referrals"
    default_auto_field = "django.db.models.BigAutoField"
