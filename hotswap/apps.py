from django.apps import AppConfig


class HotSwapConfig(AppConfig):
    name = "hotswap"

    def ready(self) -> None:
        # Shared tasks bind to the first Celery app that exists, so it must exist in every process.
        import hotswap.celery  # noqa: F401
