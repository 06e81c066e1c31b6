"""Addresses of this room."""

from django.urls import path

from nobishiro.web.referrals import views

app_name = "referrals"
urlpatterns = [
    path("referrals/", views.referral_list, name="list"),
    path("referrals/new/", views.new, name="new"),
    path("referrals/<int:pk>/", views.detail, name="detail"),
    path("referrals/<int:pk>/accept/", views.accept, name="accept"),
    path("referrals/<int:pk>/return/", views.return_to_sender, name="return"),
    path("referrals/<int:pk>/check/", views.check, name="check"),
    path("referrals/<int:pk>/close/", views.close, name="close"),
    path("referrals/<int:pk>/praise/", views.praise, name="praise"),
    path("referrals/hear/<int:pk>/", views.hear, name="hear"),
    path("referrals/hear/<int:pk>/<int:question>/", views.answer, name="answer"),
    path("referrals/questions/", views.questions, name="questions"),
    path("referrals/rewards/", views.ledger, name="ledger"),
    path("referrals/rewards/<int:pk>/", views.decide, name="decide"),
    path("referrals/board/", views.board, name="board"),
    path("referrals/introductions/", views.introductions, name="introductions"),
    path("referrals/introductions/<int:pk>/ask/", views.ask, name="ask"),
    path("referrals/introductions/<int:pk>/", views.move, name="move"),
]
