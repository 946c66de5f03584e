"""The wheels that a version's lock names, for instances to fetch and mount by themselves."""

from django.db import migrations

COLUMNS = """
    v.id, v.plugin_id, p.name AS plugin, v.version, v.status, v.artifact_digest,
    v.artifact_bytes, v.manifest, v.manifest_digest, v.lock_digest, v.approval,
    v.approval_signature
"""
FROM = "FROM plugin_versions v JOIN plugins p ON p.id = v.plugin_id"


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0006_instance_plugins"),
        ("plugins", "0004_registry_complete"),
    ]

    operations = [
        migrations.RunSQL(
            sql=f"""
                CREATE OR REPLACE VIEW instance_versions AS
                SELECT {COLUMNS}, l.packages AS lock_packages
                {FROM} LEFT JOIN dependency_locks l ON l.digest = v.lock_digest
            """,
            reverse_sql=[
                "DROP VIEW instance_versions",
                f"CREATE VIEW instance_versions AS SELECT {COLUMNS} {FROM}",
                "GRANT SELECT ON instance_versions TO hotswap_instance",
            ],
        ),
    ]
