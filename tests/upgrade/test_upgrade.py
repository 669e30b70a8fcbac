"""A data directory that the previous release made opens with this code: everything is there, and the ledger goes on from the same key."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from tests.server.instances import CHECKOUT, Instance, clean_environment, haitang, wait_until

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]  # two whole products start here, one after the other: about 70 s of a core

OUTFALLS = "排污口编号,排污口名称,许可证编号,受纳水体,日排放量,排查日期,经度,纬度\n" + "".join(
    f"PK-{n:04d},示例排口{n},,示例河,{n},2026-02-11,105.69100,29.61200\n" for n in range(1, 51)
)


def commit() -> str:
    lines = (Path(__file__).with_name("previous_release")).read_text("utf-8").splitlines()
    return next(line for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the previous release, to be run with what is installed now."""
    folder = tmp_path_factory.mktemp("previous")
    packed = subprocess.run(["git", "archive", commit(), "src", "places", "haitang.toml"], cwd=CHECKOUT, capture_output=True)
    if packed.returncode:
        pytest.skip(f"commit {commit()} of the previous release is not in this clone (a shallow one, or no git): git fetch --unshallow")
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return folder


def post(url: str, credential: dict[str, Any], n: int) -> None:
    body = [{"property": "pm2_5", "value": 30 + n, "at": f"2026-11-01T08:{n:02}:00+08:00"}]
    login = (credential["identifier"], credential["secret"])
    answer = httpx.post(
        f"{url}/api/data/observations", json=body, auth=login, headers={"Idempotency-Key": f"m{n}"}, trust_env=False, timeout=60
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def upgraded(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, dict[str, Any]]]:
    """An instance on what the previous release left, and what that was."""
    data = tmp_path_factory.mktemp("upgrade") / "data"
    environment = {**clean_environment(), "PYTHONPATH": str(source / "src")}
    old = Instance(data, path=str(source / "src")).start()

    def run(*words: str) -> Any:
        done = haitang(*words, "--data", str(data), environment=environment, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    try:
        left = _fill(old, run, data.parent)
    finally:
        old.stop()
    new = Instance(data).start()
    yield new, left
    new.stop()


def _fill(old: Instance, run: Any, folder: Path) -> dict[str, Any]:
    person = old.signed_in("dispatcher")
    csrf = {"X-CSRFToken": person.get("/api/session").json()["csrf"]}
    opened = person.post("/api/cases", json={"kind": "air_station_fault", "title": "升级前的案件（模拟）", "once": "upgrade"}, headers=csrf)
    assert opened.status_code == 200, opened.text
    credential = run("credential", "issue", "air_longgang", "--json")
    for n in range(20):
        post(old.url, credential, n)
    (folder / "outfall.csv").write_text(OUTFALLS, "utf-8")
    assert run("gather", str(folder / "outfall.csv"), "--resource", "outfall", "--json")["inserted"] == 50
    run("evidence", "export", str(folder / "before.jsonl"), "--json")
    return {"person": person, "case": opened.json()["number"], "credential": credential, "ledger": folder / "before.jsonl"}


def test_it_is_ready_and_its_tables_are_those_of_this_release(upgraded: tuple[Instance, dict[str, Any]]) -> None:
    new, _ = upgraded
    wait_until(lambda: new.ready()["ready"], 120)
    with psycopg.connect(new.told["database_url"]) as connection:
        ran = {(app, name) for app, name in connection.execute("select app, name from django_migrations").fetchall()}
    assert MigrationLoader(None).disk_migrations.keys() - ran == set()


def test_people_stay_signed_in_and_cases_are_there(upgraded: tuple[Instance, dict[str, Any]]) -> None:
    _, left = upgraded
    answer = left["person"].get(f"/api/cases/{left['case']}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["title"] == "升级前的案件（模拟）"


def test_rows_and_observations_are_there_and_devices_go_on(upgraded: tuple[Instance, dict[str, Any]], tmp_path: Path) -> None:
    new, left = upgraded
    wait_until(lambda: new.ready()["ready"], 120)
    post(new.url, left["credential"], 19)  # the same message again
    post(new.url, left["credential"], 20)
    done = haitang("backup", str(tmp_path / "all.tar"), "--drill", "--json", "--data", str(new.data), timeout=200)
    assert done.returncode == 0, done.stderr
    lake = json.loads(done.stdout)["drill"]["lake"]
    assert (lake["observations"], lake["resource_outfall"]) == (21, 50)


def test_the_ledger_goes_on_from_the_key_of_before(upgraded: tuple[Instance, dict[str, Any]], tmp_path: Path) -> None:
    new, left = upgraded
    key = next(line for line in map(json.loads, left["ledger"].read_text("utf-8").splitlines()) if line["type"] == "key")
    file = tmp_path / "ledger.jsonl"
    assert haitang("evidence", "export", str(file), "--data", str(new.data), timeout=120).returncode == 0
    verified = subprocess.run(
        [sys.executable, "-m", "haitang.server.cli", "evidence", "verify", str(file), "--key", key["public"], "--json"], capture_output=True
    )
    assert verified.returncode == 0, verified.stdout
    before = records(left["ledger"])
    assert before
    assert before <= records(file)


def records(ledger: Path) -> set[tuple[int, int, str]]:
    """Each with its place in its seal."""
    lines = map(json.loads, ledger.read_text("utf-8").splitlines())
    return {(line["seal"], line["index"], json.dumps(line["body"], sort_keys=True)) for line in lines if line["type"] == "record"}
