"""Addresses of the core: language, health, jobs, audit, saved lists."""

from django.urls import path

from nobishiro.web.core import audit_views, list_views, views
from nobishiro.web.core.backup import views as backup_views
from nobishiro.web.core.jobs import views as job_views

app_name = "core"
urlpatterns = [
    path("language/", views.set_language, name="language"),
    path("healthz", views.health, name="health"),
    path("help/", views.help_page, name="help"),
    path("lists/keep/", list_views.keep, name="keep_list"),
    path("lists/<int:pk>/forget/", list_views.forget, name="forget_list"),
    path("lists/<int:pk>/favour/", list_views.favour, name="favour_list"),
    path("lists/<int:pk>/share/", list_views.share, name="share_list"),
    path("operation/", job_views.operation_page, name="jobs"),
    path("operation/compute/", job_views.compute_anew, name="compute_anew"),
    path("operation/jobs/", job_views.all_jobs, name="all_jobs"),
    path("operation/jobs/<int:pk>/", job_views.job_page, name="job"),
    path("operation/jobs/<int:pk>/progress/", job_views.job_progress, name="job_progress"),
    path("operation/jobs/<int:pk>/stop/", job_views.stop_job, name="job_stop"),
    path("operation/jobs/<int:pk>/retry/", job_views.retry_job_view, name="job_retry"),
    path("operation/runs/<str:run_id>/", job_views.run_page, name="run"),
    path("operation/backups/make/", backup_views.make, name="backup_make"),
    path("operation/backups/<str:name>/", backup_views.take, name="backup_take"),
    path("operation/backups/<str:name>/remove/", backup_views.remove, name="backup_remove"),
    path("audit/", audit_views.audit_page, name="audit"),
]
