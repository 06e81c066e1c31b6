"""The Django app."""

from django.apps import AppConfig


class PlaysConfig(AppConfig):
    """Registers `plays`, and what this room does when a run is published."""

    name = "nobishiro.web.plays"
    label = "plays"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Targets follow every run."""
        from nobishiro.web.customers.publication import on_publication
        from nobishiro.web.plays.publication import keep_targets

        on_publication(keep_targets)
