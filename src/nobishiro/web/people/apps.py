"""The Django app."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Registers `people`."""

    name = "nobishiro.web.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
