"""The Django app."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Registers `customers`."""

    name = "nobishiro.web.customers"
    label = "customers"
    default_auto_field = "django.db.models.BigAutoField"
