"""Addresses of this room."""

from django.urls import path

from nobishiro.web.offers import gap_views, together_views

app_name = "offers"
urlpatterns = [
    path("gaps/", gap_views.gaps, name="gaps"),
    path("gaps/<int:pk>/<path:family>/panel/", gap_views.cell, name="cell"),
    path("gaps/<int:pk>/<path:family>/act/", gap_views.act, name="cell_act"),
    path("gaps/<int:pk>/<path:family>/learned/", gap_views.learned, name="cell_learned"),
    path("together/", together_views.together, name="together"),
    path("together/buyers/", together_views.buyers, name="buyers"),
]
