"""Declarations for tests, from small inline YAML, without files.

declarations_of({
    "devices/air_station.yaml": '''
        title: 空气站
        observes: {pm2_5: {title: 细颗粒物, unit: ug/m3}}
    ''',
}, place={"organizations.yaml": "bureau: {title: 生态环境局, fills: [ecology_bureau]}"})
"""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from haitang.base.declarations.in_force import Declarations
from haitang.base.declarations.loader import Loaded, load_folders
from haitang.base.declarations.owners import Owner

Files = Mapping[str, str]


def load_texts(application: Files, *, place: Files | None = None, platform: Files | None = None, name: str = "example") -> Loaded:
    """Load an application's files (relative path -> text), with a place's and a room's where given. Kinds must be registered by importing their rooms."""
    owners = []
    if platform is not None:
        owners.append(Owner("platform", "platform", Path("platform"), _plain(platform)))
    owners.append(Owner(name, "application", Path(name), _plain(application)))
    if place is not None:
        owners.append(Owner("somewhere", "place", Path("somewhere"), _plain(place)))
    return load_folders(owners)


def _plain(files: Files) -> dict[str, str]:
    return {path: dedent(text).lstrip("\n") for path, text in files.items()}


def declarations_of(
    application: Files, *, place: Files | None = None, platform: Files | None = None, name: str = "example"
) -> Declarations:
    """The same, as declarations; an AssertionError lists every error."""
    loaded = load_texts(application, place=place, platform=platform, name=name)
    assert loaded.declarations is not None, "\n".join(str(problem) for problem in loaded.errors)
    return loaded.declarations
