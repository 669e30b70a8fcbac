"""Django's settings, made from ours."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from haitang.base import settings as ours
from haitang.server.discovery import apps

_s = ours.settings()
_db = urlsplit(_s.database_url or "postgresql://haitang@127.0.0.1:5432/haitang")
_package = Path(__file__).resolve().parent.parent

SECRET_KEY = _s.secret_key or "only-for-checks-no-instance-runs-with-it"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "haitang.server.urls"
WSGI_APPLICATION = "haitang.server.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "procrastinate.contrib.django",
    *apps(),
]
SESSION_ENGINE = "haitang.support.security.people.session_store"
AUTH_USER_MODEL = "people.Person"
DATABASES = {
    "default": {
        "ENGINE": "haitang.base.postgresql",
        "NAME": _db.path.lstrip("/"),
        "USER": unquote(_db.username or ""),
        "PASSWORD": unquote(_db.password or ""),
        "HOST": _db.hostname,
        "PORT": _db.port or 5432,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 2, **dict(parse_qsl(_db.query))},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
MIDDLEWARE = [
    *(["haitang.server.telemetry.TracedControl"] if _s.otel_endpoint else []),
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "haitang.support.security.people.activity.Activity",
    "haitang.support.security.tokens.bearer.Bearer",
    "django.contrib.messages.middleware.MessageMiddleware",
    "haitang.server.odd_input.OddInput",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "haitang.base.shell.context.shell",
            ],
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _s.url.startswith("https:")
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(_s.url))]
SECURE_REFERRER_POLICY = None  # these and the rest are said once, by the front (server/front/headers.py)
SECURE_CONTENT_TYPE_NOSNIFF = False
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
LOGIN_URL = "/sign-in"
