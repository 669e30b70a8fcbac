"""What every process of an instance does first: Django, kinds, declarations in force."""

import os
from importlib.util import find_spec

from haitang.base.declarations import put_in_force
from haitang.server.discovery import load_kinds

_booted = False


def boot() -> None:
    """Set Django up for the settings in use, register every kind, and look up the release in force from the database."""
    global _booted
    if _booted:
        return
    os.environ["DJANGO_SETTINGS_MODULE"] = "haitang.server.django_settings"
    import django

    django.setup()
    load_kinds()
    if find_spec("haitang.base.declarations.release"):
        from haitang.server.release import current

        put_in_force(current)
    _booted = True
