"""`haitang status`: how the instance is."""

import sys
from typing import Any

import click
import httpx

from haitang.base.settings import settings
from haitang.server.cli.options import as_json, instance, show
from haitang.server.front.ready import operators_token
from haitang.server.instance import read
from haitang.support.security.tls.contexts import to_ourselves


@click.command(
    "status",
    help="显示实例是否就绪、各部分和各进程的状态（Is the instance ready, and each part of it）。\n\n"
    "退出码：0 就绪，1 没有运行，2 运行但未就绪。（Exit code: 0 ready, 1 not running, 2 running but not ready.）",
)
@instance("data")
@as_json
def command(as_json: bool) -> None:
    found = report()
    show(found, as_json, _text(found))
    sys.exit(0 if found["ready"] else 2 if found["running"] else 1)


def report() -> dict[str, Any]:
    """What the instance in use says of itself: `running`, `ready`, `url`, `pid`, `processes`, `parts`."""
    told = read(settings().data)
    base: dict[str, Any] = {"data": str(settings().data), "running": bool(told), "ready": False, "parts": {}}
    if not told:
        return base
    base |= {"url": told["url"], "pid": told["pid"], "place": told["place"], "listens": {k: told[k] for k in ("http", "hj212", "mqtt")}}
    base["processes"] = {name: _pid(name) for name in ["postgres", "nats", *told["processes"]] if _pid(name)}
    try:
        secure = settings().speaks_tls("http")
        address = f"http{'s' if secure else ''}://{_reachable(told['host'])}:{told['http']}/ready"
        operator = {"Authorization": f"Bearer {operators_token(settings().secret_key)}"}
        answer = httpx.get(address, headers=operator, timeout=10, trust_env=False, verify=to_ourselves() if secure else True).json()
    except (httpx.HTTPError, OSError, ValueError) as failure:
        return {**base, "parts": {"front": {"ok": False, "detail": type(failure).__name__}}}
    return {**base, "ready": answer["ready"], "state": answer["state"], "parts": answer["parts"]}


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  (where to reach, not where to listen)


def _pid(name: str) -> dict[str, int]:
    try:
        pid, restarts = (settings().run / f"{name}.pid").read_text().split()
    except (OSError, ValueError):
        return {}
    return {"pid": int(pid), "restarts": int(restarts)}


def _text(found: dict[str, Any]) -> str:
    if not found["running"]:
        return f"没有运行。数据目录：{found['data']}。启动：./haitang up --data {found['data']}"
    lines = [f"{'就绪' if found['ready'] else '尚未就绪'}  {found['url']}  数据目录 {found['data']}  进程 {found['pid']}"]
    for name, part in found["parts"].items():
        own = found["processes"].get(name.removeprefix("process:"), {}) if name.startswith("process:") else {}
        restarts = f"  已重启 {own['restarts']} 次" if own.get("restarts") else ""
        lines.append(f"  {'正常' if part['ok'] else '异常'}  {name:<20} {part['detail']}{restarts}")
    return "\n".join(lines)
