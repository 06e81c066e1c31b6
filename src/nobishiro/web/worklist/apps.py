"""The Django app."""

from django.apps import AppConfig


class WorklistConfig(AppConfig):
    """Registers `worklist`, and what this room does when a run is published."""

    name = "nobishiro.web.worklist"
    label = "worklist"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The plan becomes what each rep is to do, orders by luck what they ask about."""
        from nobishiro.web.customers.publication import on_publication
        from nobishiro.web.worklist.publication import take_over

        on_publication(take_over)
