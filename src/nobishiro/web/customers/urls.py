"""Addresses of this room."""

from django.urls import URLPattern, path

from nobishiro.web.customers import karte_urls, list_views

app_name = "customers"
urlpatterns: list[URLPattern] = [
    path("customers/", list_views.customers, name="list"),
    *karte_urls.urlpatterns,
]
