"""Admissions, holds and sealed secrets belong to tenants. Instances write reports, nothing else."""

from django.db import migrations

from hotswap.lib.database import grant, row_security


class Migration(migrations.Migration):
    dependencies = [("deployments", "0002_initial")]

    operations = [
        row_security("admissions"),
        row_security("holds"),
        row_security("sealed_secrets"),
        grant("SELECT, INSERT", "instances", "hotswap_instance"),
        grant(
            "UPDATE (boot, public_address, internal_address, public_key, is_ready, "
            "acked_generation, acked_credentials, started_at, heartbeat_at, stopped_at)",
            "instances",
            "hotswap_instance",
        ),
        grant("SELECT, INSERT, UPDATE, DELETE", "placements", "hotswap_instance"),
        grant("USAGE, SELECT", "placements_id_seq", "hotswap_instance"),
    ]
