"""Plugins by name for instances: one may be installed before it has any version or route."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("deployments", "0005_installations_with_secrets")]

    operations = [
        migrations.RunSQL(
            sql=[
                "CREATE VIEW instance_plugins AS "
                "SELECT id AS plugin_id, name AS plugin FROM plugins",
                "GRANT SELECT ON instance_plugins TO hotswap_instance",
            ],
            reverse_sql="DROP VIEW instance_plugins",
        ),
    ]
