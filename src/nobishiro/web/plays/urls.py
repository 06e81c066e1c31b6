"""Addresses of this room."""

from django.urls import URLPattern

app_name = "plays"
urlpatterns: list[URLPattern] = []
