"""The Django app."""

from django.apps import AppConfig


class MapConfig(AppConfig):
    """Registers `map`."""

    name = "nobishiro.web.map"
    label = "map"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A run that began before somebody drew new lines shows the old ones: they are laid over it."""
        from nobishiro.web.customers.publication import on_publication
        from nobishiro.web.map.lines import place_by_lines

        on_publication(place_by_lines)
