"""The environments, groups and counters that every system has."""

from django.db import migrations

ENVIRONMENTS = (
    # name, required approvals of a deployment, only approved versions
    ("development", 0, False),
    ("qa", 0, True),
    ("staging", 1, True),
    ("production", 2, True),
)


def add_rows(apps, schema_editor):
    apps.get_model("plugins", "CredentialGeneration").objects.create(pk=1)
    environment = apps.get_model("plugins", "Environment")
    for position, (name, approvals, approved_only) in enumerate(ENVIRONMENTS):
        environment.objects.create(
            name=name,
            position=position,
            required_approvals=approvals,
            requires_approved_versions=approved_only,
        )
    group = apps.get_model("auth", "Group")
    for name in ("Viewer", "Developer", "Approver"):
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("plugins", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunPython(add_rows, migrations.RunPython.noop),
    ]
