"""What an instance may read: views of its own environment, no table.

The environment is the connection's setting ``hotswap.environment``. Rows are never removed while an
instance could still miss the change: closed, cleared, revoked and removed rows stay as tombstones.
"""

from django.db import migrations

ENVIRONMENT = "JOIN environments e ON e.id = {alias}.environment_id AND e.name = current_setting('hotswap.environment', true)"

VIEWS = {
    "instance_environment": """
        SELECT e.id, e.name, e.generation, e.is_frozen, e.requires_approved_versions,
               (SELECT number FROM credential_generation) AS credentials
        FROM environments e WHERE e.name = current_setting('hotswap.environment', true)
    """,
    "instance_routes": f"""
        SELECT r.plugin_id, p.name AS plugin, p.is_active, r.stable_id, r.candidate_id,
               r.deployment_id, r.candidate_spares, r.warm_id, r.warm_until, r.is_killed,
               r.generation
        FROM routes r JOIN plugins p ON p.id = r.plugin_id {ENVIRONMENT.format(alias="r")}
    """,
    "instance_versions": """
        SELECT v.id, v.plugin_id, p.name AS plugin, v.version, v.status, v.artifact_digest,
               v.artifact_bytes, v.manifest, v.manifest_digest, v.lock_digest, v.approval,
               v.approval_signature
        FROM plugin_versions v JOIN plugins p ON p.id = v.plugin_id
    """,
    "instance_installations": f"""
        SELECT i.id, i.tenant_id, i.plugin_id, i.is_enabled, i.config, i.epoch,
               i.pinned_version_id, i.pin_expires_at, i.requests_per_minute, i.concurrency,
               i.generation
        FROM tenant_plugin_configs i {ENVIRONMENT.format(alias="i")}
    """,
    "instance_admissions": f"""
        SELECT a.id, a.deployment_id, a.tenant_id, d.plugin_id, a.arm, a.closed_at, a.generation
        FROM admissions a JOIN plugin_deployments d ON d.id = a.deployment_id
        {ENVIRONMENT.format(alias="d")}
    """,
    "instance_holds": f"""
        SELECT h.id, h.tenant_id, h.plugin_id, h.version_id, h.cleared_at, h.generation
        FROM holds h {ENVIRONMENT.format(alias="h")}
    """,
    "instance_sealed_secrets": f"""
        SELECT s.instance_id, s.installation_id, s.epoch, s.public_key, s.ciphertext, s.generation
        FROM sealed_secrets s JOIN instances i ON i.id = s.instance_id
        {ENVIRONMENT.format(alias="i")}
    """,
    "instance_tenants": "SELECT id, slug, status, generation FROM tenants",
    "instance_members": """
        SELECT id, tenant_id, user_id, role, removed_at, generation FROM tenant_members
    """,
    "instance_users": """
        SELECT u.id, u.is_active, u.is_superuser AS is_admin, a.credential_epoch, a.generation
        FROM auth_user u JOIN accounts a ON a.user_id = u.id
    """,
    "instance_keys": """
        SELECT k.id, k.digest, k.tenant_id, k.user_id, k.scopes, k.expires_at, k.revoked_at,
               k.generation
        FROM api_keys k LEFT JOIN environments e ON e.id = k.environment_id
        WHERE e.id IS NULL OR e.name = current_setting('hotswap.environment', true)
    """,
}


def create(name):
    return migrations.RunSQL(
        sql=[
            f"CREATE VIEW {name} AS {VIEWS[name]}",
            f"GRANT SELECT ON {name} TO hotswap_instance",
        ],
        reverse_sql=f"DROP VIEW {name}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0003_row_security"),
        ("tenants", "0002_row_security"),
        ("plugins", "0003_key_security"),
    ]

    operations = [create(name) for name in VIEWS]
