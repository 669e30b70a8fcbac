"""The stations of the tour that gather: a dirty file that ships with the product, its quarantine, the rows that are mended."""

import json
import subprocess
from importlib.resources import files
from typing import Any

from haitang.server.tour import personas
from haitang.server.tour.context import Context, wait_for
from haitang.server.tour.report import NotHeld

RESOURCE = "enterprise_permit"
MENDS = {
    "code_table": {"管理类别": "登记管理"},
    "outside": {"经度": "105.72150", "纬度": "29.70740"},
    "type": {"有效期止": "2027-02-28"},
    "range": {"化学需氧量许可排放量": "3"},
}


def gathered(context: Context) -> dict[str, Any]:
    """The command gathers a file in GB18030 with a title, a blank line and totals; read = accepted + quarantined, and the lake holds what was accepted."""
    file = files("haitang.applications.ecology.environment") / "samples" / f"{RESOURCE}.csv"
    ended = subprocess.run(
        context.instance.command("gather", str(file), "--resource", RESOURCE, "--json"),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if ended.returncode not in (0, 1):
        raise NotHeld("haitang gather failed", code=ended.returncode, said=ended.stderr[-300:])
    run = json.loads(ended.stdout)
    context.run = run
    shown = {name: run[name] for name in ("read", "accepted", "quarantined", "file_rows", "left_out", "inserted")}
    if run["state"] != "done" or run["read"] != run["accepted"] + run["quarantined"] or run["accepted"] != run["inserted"]:
        raise NotHeld("read is not accepted + quarantined, or not all accepted rows are stored", **shown)
    return {"resource": RESOURCE, "origin": "simulated", **shown}


def quarantined(context: Context) -> dict[str, Any]:
    """Each refused row keeps its raw text, line and every reason, and is a work order of the department that it came from."""
    run = context.run
    found = personas.runs_organization(run["run"])
    context.people["steward"] = steward = personas.make(context.instance.url, "handler", found, name="steward")
    rows = steward.get(f"/api/gather/runs/{run['run']}/rows")
    context.held = rows
    figures = {"rows": len(rows), "organization": found, "case": bool(run["case"]), "reasons": sum(len(row["reasons"]) for row in rows)}
    if len(rows) != run["quarantined"] or not run["case"] or not all(row["raw"] and row["line"] and row["reasons"] for row in rows):
        raise NotHeld("a quarantined row lacks its text or reason, or there is no work order", **figures)
    return figures


def mended(context: Context) -> dict[str, Any]:
    """Some are mended and resubmitted, the rest dismissed with a reason; then the work order is closed by itself."""
    steward, id = context.people["steward"], context.run["run"]
    mended = 0
    for row in context.held:
        change = MENDS.get(row["reasons"][0]["code"]) if len(row["reasons"]) == 1 else None
        if change:
            steward.post(f"/api/gather/rows/{row['id']}/mend", {"cells": change})
            mended += 1
    again = steward.post(f"/api/gather/runs/{id}/resubmit", {})
    resubmitted = wait_for("resubmission", lambda: _done(steward.get(f"/api/gather/runs/{again['id']}")))
    rest = [row["id"] for row in steward.get(f"/api/gather/runs/{id}/rows") if row["state"] == "open"]
    steward.post(f"/api/gather/runs/{id}/dismiss", {"rows": rest, "reason": "原件无法核实（示例）"})
    settled = wait_for("settlement", lambda: steward.get(f"/api/gather/runs/{id}").get("settled_at"))
    figures = {
        "mended": mended,
        "accepted": resubmitted["accepted"],
        "refused_again": resubmitted["quarantined"],
        "dismissed": len(rest),
        "settled_at": settled,
    }
    if resubmitted["accepted"] != mended or mended + len(rest) != len(context.held):
        raise NotHeld("not every quarantined row was mended or dismissed", **figures)
    return figures


def _done(run: dict[str, Any]) -> dict[str, Any] | None:
    return run if run["state"] == "done" else None
