from django.apps import AppConfig


class PluginsConfig(AppConfig):
    name = "plugins"

    def ready(self) -> None:
        # Receivers and checks register themselves when imported.
        from plugins import checks, signals  # noqa: F401
        from plugins.sweep.gauges import register_collector

        register_collector()
