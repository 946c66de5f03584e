"""The web process: ``granian --interface wsgi hotswap.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hotswap.settings")

application = get_wsgi_application()
