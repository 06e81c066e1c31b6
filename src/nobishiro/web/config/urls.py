"""Every address of the site. Rooms keep their own; who may open one is said at the view (`core.permissions`)."""

from django.urls import include, path

from nobishiro.web.config.installation import read_installation
from nobishiro.web.core import views

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("nobishiro.web.core.urls")),
    path("", include("nobishiro.web.people.urls")),
    path("", include("nobishiro.web.customers.urls")),
    path("", include("nobishiro.web.imports.urls")),
    path("", include("nobishiro.web.map.urls")),
    path("", include("nobishiro.web.offers.urls")),
    path("", include("nobishiro.web.worklist.urls")),
    path("", include("nobishiro.web.referrals.urls")),
    path("", include("nobishiro.web.plays.urls")),
    path("account/", include("allauth.account.urls")),
    path("account/second-factor/", include("allauth.mfa.urls")),
]
if read_installation().is_demo:
    urlpatterns.append(path("demo/", include("nobishiro.web.people.demo_urls")))

handler404 = "nobishiro.web.core.views.not_found"
handler500 = "nobishiro.web.core.views.server_error"
