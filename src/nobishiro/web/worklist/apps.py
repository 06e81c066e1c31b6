"""The Django app."""

from django.apps import AppConfig


class WorklistConfig(AppConfig):
    """Registers `worklist`."""

    name = "nobishiro.web.worklist"
    label = "worklist"
    default_auto_field = "django.db.models.BigAutoField"
