from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class HotSwapConfig(AppConfig):
    name = "hotswap"
    default = True

    def ready(self) -> None:
        # Shared tasks bind to the first Celery app that exists, so it must exist in every process.
        import hotswap.celery  # noqa: F401


class HotSwapAdminConfig(admin_apps.AdminConfig):
    """Django's admin on a site of our own."""

    default = False
    default_site = "hotswap.site.HotSwapAdminSite"
