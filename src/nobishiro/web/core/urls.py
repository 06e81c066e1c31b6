"""Addresses of the core: language, health, jobs, audit, saved lists."""

from django.urls import path

from nobishiro.web.core import views

app_name = "core"
urlpatterns = [
    path("language/", views.set_language, name="language"),
    path("healthz", views.health, name="health"),
    path("help/", views.help_page, name="help"),
]
