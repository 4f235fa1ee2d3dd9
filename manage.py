#!/usr/bin/env python
from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from digitsite import env


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")
    env.load_file(Path(__file__).resolve().parent / ".env")
    # Neither a secret key nor DEBUG: somebody tries the site on their own machine. A server
    # process (digitsite.wsgi) never takes this path and asks for the key.
    if not os.environ.get("SECRET_KEY"):
        os.environ.setdefault("DEBUG", "1")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
