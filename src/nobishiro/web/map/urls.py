"""Addresses of this room."""

from django.urls import path

from nobishiro.web.map import tag_views, views

app_name = "map"
urlpatterns = [
    path("map/", views.customer_map, name="map"),
    path("map/points/", views.point_data, name="points"),
    path("map/counts/", views.line_counts, name="counts"),
    path("map/paper/", views.paper, name="paper"),
    path("map/hours/", views.hour_rows, name="hours"),
    path("map/customer/<int:pk>/", views.panel, name="panel"),
    path("map/customer/<int:pk>/override/", views.override, name="override"),
    path("map/lines/", views.lines, name="lines"),
    path("map/tolerance/", views.tolerance, name="tolerance"),
    path("map/act/", views.act, name="act"),
    path("map/keep/", views.keep, name="keep"),
    path("map/tags/", tag_views.tags, name="tags"),
    path("map/tags/<int:pk>/", tag_views.tag_sheet, name="tag_sheet"),
    path("map/tags/<int:pk>/apply/", tag_views.apply, name="tag_apply"),
    path("map/tags/<int:pk>/drop/", tag_views.drop, name="tag_drop"),
]
