"""One file for every deployment; they differ by environment variables (`.env.example`)."""

from __future__ import annotations

from pathlib import Path

from digitsite import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env.load_file(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret_key("SECRET_KEY", debug=DEBUG, kept_in=VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "recognition",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "digitsite.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "recognition.api.problems.in_the_api",
    "digitsite.middleware.charset_of_text",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "recognition.browsers.remember",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "digitsite.middleware.method_not_allowed",
]
ROOT_URLCONF = "digitsite.urls"
API_URLCONF = "digitsite.urls_with_api"
WSGI_APPLICATION = "digitsite.wsgi.application"
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
                "recognition.visitors.for_templates",
            ],
        },
    },
]

# Records, pictures, models
DATABASES = {"default": env.database("DATABASE_URL", VAR_DIR / "db.sqlite3")}
FIXTURE_DIRS = [BASE_DIR / "fixtures"]
PRETRAINED_ROOT = BASE_DIR / "ml" / "pretrained"
MODEL_ROOT = env.folder("MODEL_ROOT", VAR_DIR / "models")
PICTURE_ROOT = env.folder("PICTURE_ROOT", VAR_DIR / "pictures")

# Static files; a server finds them after `manage.py collectstatic`.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.folder("STATIC_ROOT", BASE_DIR / "staticfiles")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing uses it
    "pictures": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # No public URL: a view shows a picture to its owner and to staff.
        "OPTIONS": {"location": PICTURE_ROOT, "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Uploads
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_000_000  # bytes; a larger request goes to a temporary file
DATA_UPLOAD_MAX_NUMBER_FILES = 200  # the form takes 100; a few more still get its answer
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "digitsite.uploads.BoundedFileUploadHandler",
]

# Programs: requests a minute, 0 for no limit. The counts of these and of wrong passwords, and which
# browsers have just left their records, are files, since the processes of a server share no memory;
# each kind in a folder of its own, since a full one drops some at random.
API_LIMIT_PER_KEY = env.number("API_LIMIT_PER_KEY", 6000)
API_LIMIT_PER_ADDRESS = env.number("API_LIMIT_PER_ADDRESS", 600)
CACHE_ROOT = env.folder("CACHE_ROOT", VAR_DIR / "cache")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": CACHE_ROOT,
        "OPTIONS": {"MAX_ENTRIES": 1000},  # each write lists them
    },
    "sign_in": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": CACHE_ROOT / "sign-in",
        "OPTIONS": {"MAX_ENTRIES": 10_000},  # one more drops some at random
    },
    "left": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": CACHE_ROOT / "left",
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
}

# Language and time
LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
USE_TZ = True

# People
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
REQUIRE_SIGN_IN = env.flag("REQUIRE_SIGN_IN", default=False)
REQUIRE_SIGN_IN_TO_KEEP = env.flag("REQUIRE_SIGN_IN_TO_KEEP", default=False)
if REQUIRE_SIGN_IN:
    MIDDLEWARE.append("digitsite.middleware.SignInRequired")
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "recognize"
LOGOUT_REDIRECT_URL = "recognize"

# Security
HTTPS_ONLY = env.flag("HTTPS_ONLY", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from inside the machine, without TLS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000) if HTTPS_ONLY else 0
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "recognition.replies.open_too_long"
TRUST_PROXY = env.flag("TRUST_PROXY", default=False)
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY = "camera=(self), display-capture=(), geolocation=(), microphone=(), usb=()"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: this site cannot speak for its neighbours
    "security.W021",  # nor ask browsers to preload that
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO"),
    },
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.db.backends": {"level": "INFO"},  # every query, otherwise
    },
}
