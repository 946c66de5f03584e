"""Audit events are added and read, never changed; a tenant reads only its own."""

from django.db import migrations

from hotswap.lib.database import append_only, grant, row_security


class Migration(migrations.Migration):
    dependencies = [("observability", "0001_initial")]

    operations = [
        row_security("audit_events"),
        append_only("audit_events"),
        grant("INSERT", "audit_events", "hotswap_instance"),
        grant("SELECT, INSERT", "call_windows", "hotswap_instance"),
        grant("USAGE, SELECT", "call_windows_id_seq", "hotswap_instance"),
    ]
