"""Addresses of this room."""

from django.urls import path

from nobishiro.web.plays import views

app_name = "plays"
urlpatterns = [
    path("week/", views.week, name="week"),
    path("plan/", views.plan, name="plan"),
    path("processes/", views.processes, name="processes"),
    path("processes/confirm/", views.confirm, name="confirm"),
    path("processes/<slug:name>/", views.process, name="process"),
]
