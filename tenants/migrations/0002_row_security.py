"""Every table of this app belongs to tenants, so every table of this app is under row security."""

from django.db import migrations

from hotswap.lib.database import row_security


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        row_security("tenants", column="id"),
        row_security("tenant_members"),
        row_security("tenant_plugin_configs"),
        row_security("tenant_data_keys"),
        row_security("tenant_secrets"),
    ]
