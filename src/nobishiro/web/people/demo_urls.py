"""Addresses that exist in the demo alone."""

from django.urls import URLPattern

app_name = "demo"
urlpatterns: list[URLPattern] = []
