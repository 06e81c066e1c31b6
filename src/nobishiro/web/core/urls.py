"""Addresses of the core: language, health, jobs, audit, saved lists."""

from django.urls import path

from nobishiro.web.core import list_views, views

app_name = "core"
urlpatterns = [
    path("language/", views.set_language, name="language"),
    path("healthz", views.health, name="health"),
    path("help/", views.help_page, name="help"),
    path("lists/keep/", list_views.keep, name="keep_list"),
    path("lists/<int:pk>/forget/", list_views.forget, name="forget_list"),
    path("lists/<int:pk>/favour/", list_views.favour, name="favour_list"),
    path("lists/<int:pk>/share/", list_views.share, name="share_list"),
]
