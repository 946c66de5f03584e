"""Signatures for instances to verify by themselves, and alarms for them to write."""

import django.db.models.deletion
from django.db import migrations, models

from hotswap.lib.database import grant

COLUMNS = """
    v.id, v.plugin_id, p.name AS plugin, v.version, v.status, v.artifact_digest,
    v.artifact_bytes, v.manifest, v.manifest_digest, v.lock_digest, v.approval,
    v.approval_signature, l.packages AS lock_packages
"""
SIGNATURE = """
    v.signature, v.signed_by_id AS publisher_key_id, k.public_key AS publisher_key,
    k.revoked_at AS publisher_key_revoked_at
"""
FROM = """
    FROM plugin_versions v JOIN plugins p ON p.id = v.plugin_id
    LEFT JOIN dependency_locks l ON l.digest = v.lock_digest
"""


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0007_instance_locks"),
        ("plugins", "0004_registry_complete"),
    ]

    operations = [
        migrations.RunSQL(
            sql=f"""
                CREATE OR REPLACE VIEW instance_versions AS
                SELECT {COLUMNS}, {SIGNATURE}
                {FROM} LEFT JOIN publisher_keys k ON k.key_id = v.signed_by_id
            """,
            reverse_sql=[
                "DROP VIEW instance_versions",
                f"CREATE VIEW instance_versions AS SELECT {COLUMNS} {FROM}",
                "GRANT SELECT ON instance_versions TO hotswap_instance",
            ],
        ),
        migrations.CreateModel(
            name="IntegrityAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("boot", models.UUIDField()),
                ("code", models.CharField(max_length=40)),
                ("detail", models.CharField(max_length=500)),
                ("times", models.PositiveIntegerField(default=1)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField(db_index=True)),
                ("recorded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "instance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alarms",
                        to="deployments.instance",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alarms",
                        to="plugins.pluginversion",
                    ),
                ),
            ],
            options={
                "db_table": "integrity_alarms",
                "ordering": ("-last_at",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("instance", "boot", "version", "code"), name="one_alarm_a_start"
                    )
                ],
            },
        ),
        grant("SELECT, INSERT", "integrity_alarms", "hotswap_instance"),
        grant("UPDATE (detail, times, last_at)", "integrity_alarms", "hotswap_instance"),
        grant("USAGE, SELECT", "integrity_alarms_id_seq", "hotswap_instance"),
    ]
