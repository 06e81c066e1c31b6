"""Addresses of one customer's pages."""

from django.urls import URLPattern, path

from nobishiro.web.customers import karte_views

_ONE = "customers/<int:pk>/"
urlpatterns: list[URLPattern] = [
    path(_ONE, karte_views.karte, name="karte"),
    path(f"{_ONE}sheet/", karte_views.sheet, name="sheet"),
    path(f"{_ONE}timeline/", karte_views.timeline, name="timeline"),
    path(f"{_ONE}family/", karte_views.family, name="family"),
    path(f"{_ONE}details/", karte_views.details, name="details"),
    path(f"{_ONE}details/correct/", karte_views.correct, name="correct"),
    path(f"{_ONE}trail/", karte_views.trail, name="trail"),
    path(f"{_ONE}outcome/", karte_views.outcome, name="outcome"),
    path(f"{_ONE}outcome/<int:outcome_pk>/undo/", karte_views.outcome_undo, name="outcome_undo"),
    path(f"{_ONE}fact/", karte_views.fact, name="fact"),
    path(f"{_ONE}fact/<int:fact_pk>/withdraw/", karte_views.fact_withdraw, name="fact_withdraw"),
    path(f"{_ONE}hypothesis/", karte_views.hypothesis, name="hypothesis"),
    path(f"{_ONE}hypothesis/<int:hypothesis_pk>/end/", karte_views.hypothesis_end, name="hypothesis_end"),
    path(f"{_ONE}override/", karte_views.override, name="override"),
    path(f"{_ONE}override/<int:override_pk>/withdraw/", karte_views.override_withdraw, name="override_withdraw"),
    path(f"{_ONE}relation/", karte_views.relation, name="relation"),
    path(f"{_ONE}touch/", karte_views.touch, name="touch"),
    path(f"{_ONE}touch/<int:touch_pk>/withdraw/", karte_views.touch_withdraw, name="touch_withdraw"),
    path(f"{_ONE}action/", karte_views.action, name="action"),
    path(f"{_ONE}action/<int:action_pk>/drop/", karte_views.action_drop, name="action_drop"),
]
