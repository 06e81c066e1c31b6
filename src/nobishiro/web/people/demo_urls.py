"""Addresses that exist in the demo alone: `config.urls` includes them when the process was started as one."""

from django.urls import path

from nobishiro.web.people import demo_views

app_name = "demo"
urlpatterns = [
    path("", demo_views.people, name="people"),
    path("step-in/", demo_views.step_in, name="step_in"),
]
