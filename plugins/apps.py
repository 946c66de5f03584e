from django.apps import AppConfig


class PluginsConfig(AppConfig):
    name = "plugins"

    def ready(self) -> None:
        # Receivers register themselves when imported.
        import plugins.signals  # noqa: F401
