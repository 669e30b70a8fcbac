"""The place as a folder: which there are, and one written back with the edits that people approved."""

from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from haitang.base.declarations.files import OVERRIDES
from haitang.base.declarations.overrides import key_path
from haitang.base.declarations.owners import Owner, checkout
from haitang.base.declarations.positions import read_yaml
from haitang.base.errors import error

if TYPE_CHECKING:
    from haitang.base.declarations.models import Edit

NOT_EMPTY = error("server.folder_not_empty", 409, "文件夹 {folder} 已存在并且不是空的。请另选一个。")


def places() -> dict[str, str]:
    """Name -> title of the places under `places/`."""
    found = {}
    for folder in sorted({p.parent for top in (checkout(), Path.cwd()) for p in (top / "places").glob("*/place.yaml")}):
        data = read_yaml((folder / "place.yaml").read_text("utf-8", "replace"), folder / "place.yaml").data
        found[folder.name] = str(data.get("title", "")) if isinstance(data, dict) else ""
    return found


def export(place: Owner, edits: "list[Edit]", folder: Path, adopted: Iterable[Owner] = ()) -> Path:
    """Write the place's files to `folder`, its overrides with the edits in them, what was adopted beside them; returns the folder."""
    if folder.exists() and any(folder.iterdir()):
        raise NOT_EMPTY(folder=folder)
    files = [(relative, text) for owner in (place, *adopted) for relative, text in owner.files.items()]
    for relative, text in files:
        file = folder / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    if edits:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OVERRIDES).write_text(with_edits(place.files.get(OVERRIDES, ""), edits), "utf-8")
    return folder


def with_edits(overrides: str, edits: "list[Edit]") -> str:
    """The text of overrides.yaml (comments kept) once each edit is written where its key stands."""
    yaml = YAML()
    yaml.width = 140
    data: Any = yaml.load(overrides) or {}
    for edit in edits:
        body = data.setdefault(f"{edit.kind} {edit.declaration}", {})
        holder, key = _where(body, edit.key)
        holder[key] = edit.new
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _where(body: Any, written: str) -> tuple[Any, Any]:
    """The mapping and key that hold a key path already, dotted or nested; else the body itself and the dotted path."""
    wanted = key_path(written)
    for key, value in body.items():
        path = key_path(key)
        if path == wanted:
            return body, key
        if path == wanted[: len(path)] and hasattr(value, "items"):
            return _where(value, ".".join(str(part) for part in wanted[len(path) :]))
    return body, written
