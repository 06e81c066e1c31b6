"""The Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers `core`."""

    name = "nobishiro.web.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Learn the kinds of jobs that the rooms declare."""
        from nobishiro.web.core.jobs.registry import discover_kinds

        discover_kinds()
