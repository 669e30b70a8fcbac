"""Writes the skeleton of an application: the files under `skeletons/application` with NAME and ROLE filled in."""

import re
from pathlib import Path

from haitang.base.declarations.owners import checkout
from haitang.base.errors import error

BAD_NAME = error("server.bad_name", 400, "“{name}”不能作应用名。用小写字母开头，由小写字母、数字和下划线组成。")
EXISTS = error("server.already_there", 409, "{folder} 已经存在。请另起名字，或先移走它。")

TEMPLATES = Path(__file__).parent / "skeletons" / "application"
ANY_ROLE = "responsible_bureau"  # where the place fills none yet


def shipped(family: str, name: str) -> Path:
    """Where an application of this checkout stands."""
    return checkout() / "src" / "haitang" / "applications" / family / name


def write_application(name: str, folder: Path, role: str | None = None) -> Path:
    """Write the skeleton of application `name`, whose cases go to the organization role `role`; returns its folder."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise BAD_NAME(name=name)
    if folder.exists():
        raise EXISTS(folder=folder)
    for template in sorted(TEMPLATES.rglob("*")):
        if template.is_file() and "__pycache__" not in template.parts:
            file = folder / filled(str(template.relative_to(TEMPLATES)), name, role)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(filled(template.read_text("utf-8"), name, role), "utf-8")
    return folder


def filled(text: str, name: str, role: str | None) -> str:
    return text.replace("NAME", name).replace("ROLE", role or ANY_ROLE)
