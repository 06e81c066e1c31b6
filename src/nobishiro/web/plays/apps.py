"""The Django app."""

from django.apps import AppConfig


class PlaysConfig(AppConfig):
    """Registers `plays`."""

    name = "nobishiro.web.plays"
    label = "plays"
    default_auto_field = "django.db.models.BigAutoField"
