"""The Django app."""

from django.apps import AppConfig


class MapConfig(AppConfig):
    """Registers `map`."""

    name = "nobishiro.web.map"
    label = "map"
    default_auto_field = "django.db.models.BigAutoField"
