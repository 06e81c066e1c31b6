"""Addresses of this room."""

from django.urls import path

from nobishiro.web.worklist import look_back_views, relisten_views, report_views, views

app_name = "worklist"
urlpatterns = [
    path("today/", views.today, name="today"),
    path("today/outcomes/", views.outcomes, name="outcomes"),
    path("today/token/", views.token, name="token"),
    path("today/sw.js", views.worker, name="worker"),
    path("today/mail/", views.mail, name="mail"),
    path("today/report/", report_views.report, name="report"),
    path("today/report/add/", report_views.add, name="report_add"),
    path("today/report/customers/", report_views.find_customers, name="report_customers"),
    path("today/report/<int:pk>/", report_views.amend, name="report_amend"),
    path("today/report/<int:pk>/withdraw/", report_views.withdraw, name="report_withdraw"),
    path("relisten/", relisten_views.relisten, name="relisten"),
    path("relisten/<int:pk>/answer/", relisten_views.answer, name="relisten_answer"),
    path("relisten/<int:pk>/settle/", relisten_views.settle, name="relisten_settle"),
    path("relisten/<int:pk>/later/", relisten_views.later, name="relisten_later"),
    path("relisten/five/", relisten_views.five, name="five"),
    path("relisten/handover/", relisten_views.handover, name="handover"),
    path("look-back/", look_back_views.look_back, name="look_back"),
]
