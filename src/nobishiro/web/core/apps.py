"""The Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers `core`."""

    name = "nobishiro.web.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"
