"""Addresses of this room."""

from django.urls import path

from nobishiro.web.people import (
    account_views,
    company_views,
    invitation_views,
    product_views,
    staff_views,
    target_views,
    user_views,
)

app_name = "people"
urlpatterns = [
    path("account/invitation/", invitation_views.invitation, name="invitation"),
    path("account/me/", account_views.account, name="account"),
    path("account/me/settings/", account_views.save_settings, name="account_settings"),
    path("account/me/sessions/end/", account_views.end_other_sessions, name="end_other_sessions"),
    path("people/", user_views.users, name="users"),
    path("people/invite/", user_views.invite_user, name="invite"),
    path("people/invitations/<int:pk>/withdraw/", user_views.invitation_withdraw, name="invitation_withdraw"),
    path("people/users/<int:pk>/", user_views.user, name="user"),
    path("people/users/<int:pk>/password-link/", user_views.user_password_link, name="user_password_link"),
    path("people/users/<int:pk>/disable/", user_views.user_disable, name="user_disable"),
    path("people/users/<int:pk>/enable/", user_views.user_enable, name="user_enable"),
    path("people/users/<int:pk>/end-sessions/", user_views.user_end_sessions, name="user_end_sessions"),
    path("people/users/<int:pk>/factors-off/", user_views.user_factors_off, name="user_factors_off"),
    path("people/divisions/", staff_views.staff, name="staff"),
    path("people/divisions/edit/", staff_views.division, name="division"),
    path("people/reps/edit/", staff_views.rep, name="rep"),
    path("people/assignments/", staff_views.assignments, name="assignments"),
    path("people/assignments/add/", staff_views.assignment_add, name="assignment_add"),
    path("people/assignments/end/", staff_views.assignment_end, name="assignment_end"),
    path("people/assignments/hand-over/", staff_views.reassign_customers, name="hand_over"),
    path("people/targets/", target_views.targets, name="targets"),
    path("people/targets/save/", target_views.targets_save, name="targets_save"),
    path("people/calendar/", company_views.calendar, name="calendar"),
    path("people/calendar/day/", company_views.calendar_save, name="calendar_save"),
    path("people/calendar/paste/", company_views.calendar_paste, name="calendar_paste"),
    path("people/calendar/<int:pk>/remove/", company_views.calendar_remove, name="calendar_remove"),
    path("people/company/", company_views.company, name="company"),
    path("products/", product_views.products, name="products"),
    path("products/edit/", product_views.product, name="product"),
]
