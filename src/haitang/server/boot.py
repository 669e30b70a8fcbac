"""What every process of an instance does first: Django, kinds, declarations in force."""

import os

_booted = False


def boot() -> None:
    """Set Django up for the settings in use, register every kind, and look up the release in force."""
    global _booted
    if _booted:
        return
    os.environ["DJANGO_SETTINGS_MODULE"] = "haitang.server.django_settings"
    import django

    django.setup()
    from haitang.base import ports
    from haitang.base.declarations import put_in_force
    from haitang.server.discovery import load_kinds
    from haitang.server.release import Seeder, current

    load_kinds()
    put_in_force(current)
    ports.seeding.register(Seeder())
    _booted = True
