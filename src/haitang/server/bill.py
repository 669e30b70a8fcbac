"""The software bill of materials: what the locks name, as CycloneDX 1.6 (ECMA-424), and an audit of it where an advisory source can be asked."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from haitang.server.instance import CHECKOUT

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_PATIENCE = 240  # seconds; the checks of `haitang test` run beside the tests
LOCKS = {"run": CHECKOUT / "requirements" / "run.txt", "dev": CHECKOUT / "requirements" / "dev.txt"}


def pins(lock: Path) -> Iterator[tuple[str, str, str, list[str]]]:
    """(name, version, marker, hashes) of each package that a lock pins."""
    for block in lock.read_text("utf-8").replace("\\\n", " ").splitlines():
        if found := _PIN.match(block):
            marker = block.partition(";")[2].partition("--hash")[0].strip()
            yield found[1].lower(), found[2], marker, _HASH.findall(block)


def _licence(name: str) -> str:
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return str(told.json.get("license_expression") or "") or next(
        (each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License :: ")), ""
    )


def _component(name: str, version: str, marker: str, hashes: list[str]) -> dict[str, Any]:
    """Every hash of the lock is that of another file of the package (wheel or source), so they stand as properties, not as hashes of one thing."""
    purl, licence = f"pkg:pypi/{name}@{version}", _licence(name)
    properties = [{"name": "haitang:file-sha256", "value": value} for value in hashes]
    properties += [{"name": "haitang:marker", "value": marker}] if marker else []
    return {
        "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
        **({"licenses": [{"license": {"name": licence}}]} if licence else {}), "properties": properties,
    }  # fmt: skip


def bill(lock: str = "run") -> dict[str, Any]:
    """The bill of what an instance runs with (`run`) or is built and tested with (`dev`). The same lock gives the same bill, without a time of making."""
    components = [*(_component(*each) for each in sorted(pins(LOCKS[lock]))), *_web()]
    version = str(tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    serial = uuid5(NAMESPACE_URL, "haitang " + lock + "".join(each["purl"] for each in components))
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "haitang", "name": "haitang", "version": version}},
        "components": components, "dependencies": [{"ref": "haitang", "dependsOn": [each["bom-ref"] for each in components]}],
    }  # fmt: skip


def _web() -> list[dict[str, Any]]:
    """What the web assets are built from: the packages of the npm lock that are not for development only."""
    lock = CHECKOUT / "web" / "package-lock.json"
    found = json.loads(lock.read_text("utf-8"))["packages"] if lock.is_file() else {}
    names = {path: path.rpartition("node_modules/")[2] for path, told in found.items() if path and not told.get("dev")}
    return [
        {"type": "library", "bom-ref": f"pkg:npm/{name}@{found[path]['version']}", "name": name, "version": found[path]["version"],
         "purl": f"pkg:npm/{name}@{found[path]['version']}",
         **({"licenses": [{"license": {"name": found[path]["license"]}}]} if isinstance(found[path].get("license"), str) else {})}
        for path, name in sorted(names.items())
    ]  # fmt: skip


def audit(lock: str = "run") -> tuple[str, bool]:
    """(what came of it, whether nothing is known against the lock). Skipped, with the reason, where pip-audit or its source of advisories is not there."""
    program = shutil.which("pip-audit") or shutil.which(str(Path(sys.executable).parent / "pip-audit"))
    if program is None:
        return (
            "已跳过漏洞核对：没有安装 pip-audit，它在 requirements/dev.txt 里。（skipped: pip-audit is not installed; requirements/dev.txt has it）",
            True,
        )
    command = [
        program,
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
        "--timeout",
        "10",
        "-f",
        "json",
        "-r",
        str(LOCKS[lock]),
    ]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
        found = json.loads(ran.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return f"已跳过漏洞核对：漏洞库 {_PATIENCE} 秒内没有答复。（skipped: no answer of the advisory source）", True
    except (ValueError, KeyError):
        last = next(iter(reversed((ran.stdout + ran.stderr).strip().splitlines())), "")
        return f"已跳过漏洞核对：没有得到漏洞库的答复。（skipped: no report from the advisory source）{last[:300]}", True
    return _told(found)


def _told(found: list[dict[str, Any]]) -> tuple[str, bool]:
    """From pip-audit's report. It calls a list sound of which its source knows no line: what was not looked up is named, and is no all-clear."""
    unknown = [each["name"] for each in found if "skip_reason" in each]
    if len(unknown) == len(found):
        return "已跳过漏洞核对：漏洞库不认得其中任何一项，可能是软件包镜像不提供漏洞信息。（skipped: the source has no advisories）", True
    lines = [
        f"{each['name']} {each['version']}：{vuln['id']}，修复版本 {'、'.join(vuln['fix_versions']) or '尚无'}"
        for each in found
        for vuln in each.get("vulns", ())
    ]
    sound = not lines
    lines.append(f"核对 {len(found) - len(unknown)} 项，{'没有已知漏洞' if sound else f'发现 {len(lines)} 个漏洞'}。")
    if unknown:
        lines.append(f"未能核对 {len(unknown)} 项（could not be audited）：{'、'.join(unknown)}")
    return "\n".join(lines), sound
