"""The worker and beat processes: ``celery -A hotswap worker`` and ``celery -A hotswap beat``."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotswap.settings")

app = Celery("hotswap")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "advance-due-deployments": {
        "task": "deployments.tasks.advance_due_deployments",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "record-alarms": {
        "task": "deployments.tasks.record_alarms",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "seal-secrets": {
        "task": "deployments.tasks.seal_missing_secrets",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "roll-up-calls": {
        "task": "observability.tasks.roll_up_calls",
        "schedule": crontab(minute=7),
        "options": {"expires": 3000},
    },
    "resolve-dependencies": {
        "task": "plugins.tasks.resolve_dependencies",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "sweep-uploads": {
        "task": "plugins.tasks.sweep_presigned_uploads",
        "schedule": 600.0,
        "options": {"expires": 300},
    },
    "begin-storage-sweep": {
        "task": "plugins.tasks.begin_storage_sweep",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expires": 3600},
    },
    "continue-storage-sweep": {
        "task": "plugins.tasks.continue_storage_sweep",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
}
