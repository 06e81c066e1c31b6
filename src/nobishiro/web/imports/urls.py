"""Addresses of this room."""

from django.urls import path

from nobishiro.web.imports import draft_views, pair_views, views

app_name = "imports"
urlpatterns = [
    path("imports/", views.history, name="list"),
    path("imports/new/", views.upload, name="new"),
    path("imports/paste/", views.paste, name="paste"),
    path("imports/templates/<slug:name>.<slug:ending>", views.template, name="template"),
    path("imports/steps/<slug:import_id>/", views.step, name="step"),
    path("imports/steps/<slug:import_id>/undo/", views.undo, name="undo"),
    path("imports/recompute/", views.recompute, name="recompute"),
    path("imports/same/", pair_views.pairs, name="pairs"),
    path("imports/same/scan/", pair_views.scan, name="scan"),
    path("imports/same/decide/", pair_views.decide, name="decide"),
    path("imports/<int:pk>/", draft_views.draft, name="draft"),
    path("imports/<int:pk>/reading/", draft_views.reading, name="reading"),
    path("imports/<int:pk>/columns/", draft_views.columns, name="columns"),
    path("imports/<int:pk>/mapping/", draft_views.mapping, name="mapping"),
    path("imports/<int:pk>/check/", draft_views.check, name="check"),
    path("imports/<int:pk>/check/again/", draft_views.check_again, name="check_again"),
    path("imports/<int:pk>/rejected.<slug:ending>", draft_views.rejected, name="rejected"),
    path("imports/<int:pk>/same/", pair_views.draft_pairs, name="draft_pairs"),
    path("imports/<int:pk>/same/decide/", pair_views.draft_decide, name="draft_decide"),
    path("imports/<int:pk>/commit/", draft_views.commit, name="commit"),
    path("imports/<int:pk>/discard/", draft_views.discard, name="discard"),
]
