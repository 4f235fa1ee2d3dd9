"""The site's settings under test: `DATABASE_URL` counts, no other variable and no `.env`."""

from __future__ import annotations

import os
import tempfile

os.environ |= {
    "ENV_FILE": os.devnull,
    "DEBUG": "0",
    "SECRET_KEY": "only-for-tests-" + 50 * "x",
    "ALLOWED_HOSTS": "",
    "CSRF_TRUSTED_ORIGINS": "",
    "HTTPS_ONLY": "0",
    "TRUST_PROXY": "0",
    "CACHE_ROOT": tempfile.mkdtemp(prefix="digits-"),  # wrong passwords of one run, not of all
    "API_LIMIT_PER_KEY": "0",
    "API_LIMIT_PER_ADDRESS": "0",
    "REQUIRE_SIGN_IN": "0",
    "REQUIRE_SIGN_IN_TO_KEEP": "0",
    "TIME_ZONE": "UTC",
    "LOG_LEVEL": "WARNING",
}

from digitsite.settings import *  # noqa: F403
from digitsite.settings import DATABASES, STORAGES

if DATABASES["default"]["ENGINE"] == "digitsite.sqlite":
    # A file, not memory: threads then have connections of their own, as in a server.
    DATABASES["default"]["TEST"] = {
        "NAME": f"{tempfile.gettempdir()}/digits-test-{os.getpid()}.sqlite3"
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
