"""The Django app."""

from django.apps import AppConfig


class OffersConfig(AppConfig):
    """Registers `offers`."""

    name = "nobishiro.web.offers"
    label = "offers"
    default_auto_field = "django.db.models.BigAutoField"
