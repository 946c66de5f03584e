"""A tenant sees its own keys, never another's; keys of users are platform staff's to list."""

from django.db import migrations

from hotswap.lib.database import row_security


class Migration(migrations.Migration):
    dependencies = [("plugins", "0002_first_rows")]

    operations = [row_security("api_keys")]
