"""The bill of materials of a bundle: CycloneDX 1.6 JSON (ECMA-424), one component for each wheel."""

import email
import hashlib
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4


def bill_of_materials(checkout: Path, wheels: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The document; names, versions and licences are those that the wheels say of themselves, and of what the web assets are built from the lock file."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "name": "haitang",
                "version": about["version"],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [*(_wheel(file) for file in sorted(wheels.glob("*.whl"))), *_web(checkout / "web" / "package-lock.json")],
    }


def _wheel(file: Path) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        entry = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1)
        told = email.message_from_bytes(archive.read(entry))
    licence = told["License-Expression"] or (told["License"] or "").splitlines()[0:1] or ""
    component = {
        "type": "library", "name": told["Name"], "version": told["Version"], "purl": f"pkg:pypi/{told['Name'].lower().replace('_', '-')}@{told['Version']}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
    }  # fmt: skip
    words = licence if isinstance(licence, str) else licence[0]
    return {**component, **({"licenses": [{"license": {"name": words[:200]}}]} if words else {})}


def _web(lock: Path) -> list[dict[str, Any]]:
    """What is bundled into the web assets: the packages of the lock that are not for development only."""
    import json

    found = json.loads(lock.read_text("utf-8"))["packages"] if lock.is_file() else {}
    return [
        {"type": "library", "name": path.rpartition("node_modules/")[2], "version": told["version"],
         "purl": f"pkg:npm/{path.rpartition('node_modules/')[2]}@{told['version']}",
         **({"licenses": [{"license": {"name": told["license"]}}]} if isinstance(told.get("license"), str) else {})}
        for path, told in sorted(found.items()) if path and not told.get("dev")
    ]  # fmt: skip
