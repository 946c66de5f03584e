"""Every setting, from the environment; the defaults run on one machine (docs/configuration.md)."""

from datetime import timedelta
from pathlib import Path

from django.urls import reverse_lazy

from hotswap import __version__
from hotswap.lib.env import env, read_choice, read_range, read_secret
from hotswap.lib.logs import configure_logging
from hotswap.lib.pool import clear_scope

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("HOTSWAP_DEBUG", default=False)
HOTSWAP_HOME = Path(env.str("HOTSWAP_HOME", default=str(BASE_DIR / ".hotswap")))
SECRET_KEY = read_secret("HOTSWAP_SECRET_KEY", default="insecure-only-for-development")
ALLOWED_HOSTS = env.list("HOTSWAP_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("HOTSWAP_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.guardian",
    "hotswap.apps.HotSwapAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_htmx",
    "django_prometheus",
    "django_celery_beat",
    "csp",
    "hotswap",
    "observability",
    "plugins",
    "tenants",
    "sandbox",
    "deployments",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hotswap.lib.requests.RequestIdMiddleware",
    # Calls go no deeper than this: nothing below has a say in them, and each would cost time.
    "deployments.passing.PassingMiddleware",
    "hotswap.lib.api.throttling.RateHeadersMiddleware",
    "hotswap.lib.pages.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tenants.middleware.TenantScopeMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "hotswap.urls"
WSGI_APPLICATION = "hotswap.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": env.db_url(
        "HOTSWAP_DATABASE_URL",
        default=f"postgres://hotswap_web@/hotswap?host={HOTSWAP_HOME / 'postgres' / 'run'}",
    ),
}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"].setdefault("OPTIONS", {})
if env.bool("HOTSWAP_DATABASE_POOL", default=False):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": 16,
        "reset": clear_scope,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("HOTSWAP_REDIS_URL", default=f"unix://{HOTSWAP_HOME / 'run' / 'valkey.sock'}")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "hotswap",
    },
}

S3_BUCKET = env.str("HOTSWAP_S3_BUCKET", default="")
_file_artifacts = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": str(HOTSWAP_HOME / "artifacts")},
}
_s3_artifacts = {
    "BACKEND": "plugins.storage.s3.S3Artifacts",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.str("HOTSWAP_S3_ENDPOINT_URL", default="") or None,
        "access_key": read_secret("HOTSWAP_S3_ACCESS_KEY_ID") or None,
        "secret_key": read_secret("HOTSWAP_S3_SECRET_ACCESS_KEY") or None,
        "region_name": env.str("HOTSWAP_S3_REGION", default="us-east-1"),
        "addressing_style": "path",
        "encryption": read_choice(
            "HOTSWAP_S3_ENCRYPTION", ("AES256", "aws:kms", "none"), default="AES256"
        ),
        "encryption_key": env.str("HOTSWAP_S3_ENCRYPTION_KEY", default=""),
        "file_overwrite": False,
        "default_acl": None,
        "querystring_expire": 300,
    },
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    "artifacts": _s3_artifacts if S3_BUCKET else _file_artifacts,
}
STATIC_URL = "/static/"
STATIC_ROOT = HOTSWAP_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
ANONYMOUS_USER_NAME = None
AXES_FAILURE_LIMIT = env.int("HOTSWAP_LOGIN_ATTEMPTS", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=10)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "hotswap.lib.api.handlers.locked_out"
SILENCED_SYSTEM_CHECKS: list[str] = []

SECURE_TLS = env.bool("HOTSWAP_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_TLS
SECURE_SSL_REDIRECT = SECURE_TLS
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_TLS else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
# What differs under /admin/: its components evaluate expressions and set styles.
CONTENT_SECURITY_POLICY_ADMIN = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.authentication.AccessTokenAuthentication",
        "tenants.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "hotswap.lib.api.pagination.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["hotswap.lib.api.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["hotswap.lib.api.throttling.EndpointThrottle"],
    "EXCEPTION_HANDLER": "hotswap.lib.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
RATE_LIMITS_ENABLED = env.bool("HOTSWAP_RATE_LIMITS", default=True)
RATE_LIMITS_PER_MINUTE = {
    "read": env.int("HOTSWAP_RATE_READS", default=60),
    "write": env.int("HOTSWAP_RATE_WRITES", default=10),
    "upload": env.int("HOTSWAP_RATE_UPLOADS", default=5),
    "sandbox": env.int("HOTSWAP_RATE_SANDBOX", default=20),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "HotSwap",
    "DESCRIPTION": "Registers, deploys, routes and rolls back plugins of a multi-tenant platform.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "VersionStatus": "plugins.models.VersionStatus",
        "TenantStatus": "tenants.models.TenantStatus",
        "DeploymentStatus": "deployments.api.serializers.SHOWN_STATUSES",
        "StepStatus": "deployments.models.StepStatus",
        "InstanceState": "deployments.api.instance_serializers.STATES",
        "PlacementState": "deployments.models.PlacementState",
        "MemberRole": "tenants.models.MemberRole",
        "VersionRole": "deployments.api.instance_serializers.ROLES",
        "PluginPart": "plugins.api.serializers.PARTS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "deployments.api.invoke_schema.add_invoke",
        "hotswap.lib.api.openapi.add_problems",
    ],
}
ACCESS_TOKEN_SECONDS = env.int("HOTSWAP_ACCESS_TOKEN_SECONDS", default=600)
REFRESH_TOKEN_SECONDS = env.int("HOTSWAP_REFRESH_TOKEN_SECONDS", default=86_400)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
CELERY_TIMEZONE = "UTC"

KEYS_DIR = Path(env.str("HOTSWAP_KEYS_DIR", default=str(HOTSWAP_HOME / "keys")))
PUBLIC_KEYS_DIR = Path(env.str("HOTSWAP_PUBLIC_KEYS_DIR", default=str(KEYS_DIR / "public")))
LAYERS_DIR = env.str("HOTSWAP_LAYERS_DIR", default="")
JAIL_MINIMUM = env.str("HOTSWAP_JAIL_MINIMUM", default="namespaced")
JAIL_UIDS = read_range("HOTSWAP_JAIL_UIDS", default="200000-265535")
STALE_LIMIT_SECONDS = env.int("HOTSWAP_STALE_LIMIT_SECONDS", default=86_400)
INSTANCE_MAX_PROCESSES = env.int("HOTSWAP_INSTANCE_MAX_PROCESSES", default=512)
DEFAULT_REQUESTS_PER_MINUTE = env.int("HOTSWAP_DEFAULT_REQUESTS_PER_MINUTE", default=600)
DEFAULT_CONCURRENCY = env.int("HOTSWAP_DEFAULT_CONCURRENCY", default=20)
# Where Python dependencies come from; pip's own configuration is never read.
INDEX_URL = read_secret("HOTSWAP_INDEX_URL")
INDEX_FILE_HOSTS = env.list("HOTSWAP_INDEX_FILE_HOSTS", default=[])
UPLOAD_LIMIT_BYTES = env.int("HOTSWAP_UPLOAD_LIMIT_BYTES", default=100 << 20)
ARTIFACT_LIMIT_BYTES = env.int("HOTSWAP_ARTIFACT_LIMIT_BYTES", default=64 << 20)
UNPACKED_LIMIT_BYTES = env.int("HOTSWAP_UNPACKED_LIMIT_BYTES", default=64 << 20)
PRESIGNED_UPLOAD_SECONDS = env.int("HOTSWAP_PRESIGNED_UPLOAD_SECONDS", default=3600)
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 << 20
FILE_UPLOAD_HANDLERS = ["hotswap.lib.receiving.HashingUploadHandler"]

UNFOLD = {
    "SITE_TITLE": "HotSwap",
    "SITE_HEADER": "HotSwap",
    "SITE_URL": reverse_lazy("overview"),
}
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# RequestIdMiddleware has checked it, or made it.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
LOGGING = configure_logging(env.str("HOTSWAP_LOG_LEVEL", default="INFO"), as_json=not DEBUG)
