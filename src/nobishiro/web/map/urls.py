"""Addresses of this room."""

from django.urls import URLPattern

app_name = "map"
urlpatterns: list[URLPattern] = []
