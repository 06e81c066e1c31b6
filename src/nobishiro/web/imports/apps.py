"""The Django app."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Registers `imports`."""

    name = "nobishiro.web.imports"
    label = "imports"
    default_auto_field = "django.db.models.BigAutoField"
