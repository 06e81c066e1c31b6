"""Addresses of this room."""

from django.urls import URLPattern

from nobishiro.web.customers import karte_urls

app_name = "customers"
urlpatterns: list[URLPattern] = [*karte_urls.urlpatterns]
