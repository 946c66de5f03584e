from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "deployments"

    def ready(self) -> None:
        # Receivers register when their module is imported, which needs the models.
        from deployments import plugin_users, receivers, sealing  # noqa: F401
