"""Addresses of this room."""

from django.urls import path

from nobishiro.web.people import account_views, invitation_views

app_name = "people"
urlpatterns = [
    path("account/invitation/", invitation_views.invitation, name="invitation"),
    path("account/me/", account_views.account, name="account"),
    path("account/me/settings/", account_views.save_settings, name="account_settings"),
    path("account/me/sessions/end/", account_views.end_other_sessions, name="end_other_sessions"),
]
