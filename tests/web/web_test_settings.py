"""The site's own settings over an empty workspace that goes with the process; passwords are hashed fast."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_place = tempfile.mkdtemp(prefix="nobishiro-web-tests-")
atexit.register(shutil.rmtree, _place, ignore_errors=True)
os.environ["NOBISHIRO_WORKSPACE"] = _place
for _name in ("NOBISHIRO_DATABASE_URL", "NOBISHIRO_DEMO", "NOBISHIRO_HTTPS", "NOBISHIRO_HOSTS"):
    os.environ.pop(_name, None)
if os.environ.get("NOBISHIRO_TEST_DATABASE_URL"):  # scripts/on_postgresql.py
    os.environ["NOBISHIRO_DATABASE_URL"] = os.environ["NOBISHIRO_TEST_DATABASE_URL"]

from nobishiro.web.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # noqa: F405  (whitenoise warns of one that is not there)
if "sqlite" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # noqa: F405  (else each worker gets a file of an odd name)
