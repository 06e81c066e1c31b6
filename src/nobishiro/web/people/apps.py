"""The Django app."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Registers `people`."""

    name = "nobishiro.web.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the libraries that sign people in."""
        from nobishiro.web.people.sign_in_records import listen

        listen()
