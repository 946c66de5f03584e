"""An instance must know that an installation has secrets: without it, a new instance would call
before they are sealed to it.
"""

from django.db import migrations

ENVIRONMENT = (
    "JOIN environments e ON e.id = i.environment_id "
    "AND e.name = current_setting('hotswap.environment', true)"
)
COLUMNS = """
    i.id, i.tenant_id, i.plugin_id, i.is_enabled, i.config, i.epoch,
    i.pinned_version_id, i.pin_expires_at, i.requests_per_minute, i.concurrency,
    i.generation
"""
HAS_SECRETS = "EXISTS (SELECT FROM tenant_secrets s WHERE s.installation_id = i.id) AS has_secrets"


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0004_instance_views"),
        ("tenants", "0003_deleted_tenants"),
    ]

    operations = [
        migrations.RunSQL(
            sql=f"""
                CREATE OR REPLACE VIEW instance_installations AS
                SELECT {COLUMNS}, {HAS_SECRETS} FROM tenant_plugin_configs i {ENVIRONMENT}
            """,
            reverse_sql=[
                "DROP VIEW instance_installations",
                f"""
                CREATE VIEW instance_installations AS
                SELECT {COLUMNS} FROM tenant_plugin_configs i {ENVIRONMENT}
                """,
                "GRANT SELECT ON instance_installations TO hotswap_instance",
            ],
        ),
    ]
