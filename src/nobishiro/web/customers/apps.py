"""The Django app."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Registers `customers`."""

    name = "nobishiro.web.customers"
    label = "customers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the large tables sorted whenever a run is shown."""
        from nobishiro.web.customers import row_index  # noqa: F401 - importing it registers it
