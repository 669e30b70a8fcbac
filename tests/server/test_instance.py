"""One real instance through its life."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.instances import Instance, haitang, wait_until

pytestmark = pytest.mark.timeout(300)  # a whole product starts here, on cores that other tests share


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    running = Instance(tmp_path_factory.mktemp("instance") / "data of one").start()
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


def test_serves_a_sign_in_page_to_who_is_not_signed_in(instance: Instance) -> None:
    page = instance.get("/sign-in")
    assert page.status_code == 200
    assert "csrftoken" in page.cookies


def test_the_one_time_secret_signs_the_administrator_in(instance: Instance) -> None:
    answer = httpx.post(f"{instance.url}/api/session", json={"username": "admin", "password": instance.secret}, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text


def test_the_live_feed_refuses_who_is_not_signed_in(instance: Instance) -> None:
    assert instance.get("/live").status_code == 401


def test_ready_names_every_process(instance: Instance) -> None:
    assert {f"process:{name}" for name in instance.told["processes"]} <= set(instance.ready()["parts"])
    wait_until(lambda: instance.works("database", "stream", "control"))


def test_why_is_told_to_the_command_and_not_to_strangers(instance: Instance) -> None:
    def told() -> object:
        parts = json.loads(haitang("status", "--json", "--data", str(instance.data)).stdout)["parts"]
        return parts.get("lake", {}).get("detail")  # of no part but the front where that does not answer in time

    wait_until(lambda: told() == str(instance.data / "lake"), 100)
    assert instance.ready()["parts"]["lake"].keys() == {"ok"}


def test_metrics_are_for_operators_and_nobody_else(instance: Instance) -> None:
    from haitang.server.front.ready import operators_token

    assert instance.get("/metrics").status_code == 401
    bearer = {"Authorization": f"Bearer {operators_token(instance.told['secret_key'])}"}
    assert instance.get("/metrics", headers=bearer).headers["content-type"].startswith("text/plain")
    for line in ('haitang_up{part="database"} 1', "haitang_evidence_unsealed ", 'haitang_process_resident_bytes{process="writer"}'):
        wait_until(lambda: line in instance.get("/metrics", headers=bearer).text)  # noqa: B023


def test_a_second_supervisor_on_the_same_data_is_refused(instance: Instance) -> None:
    second = haitang("up", "--data", str(instance.data), "--http", "0")
    assert second.returncode == 1
    assert str(instance.process.pid) in second.stderr


def test_secrets_are_readable_by_their_owner_alone(instance: Instance) -> None:
    private = [instance.data / "run" / "instance.json", *instance.data.glob("*/password"), *(instance.data / "logs").iterdir()]
    assert [str(file) for file in private if file.stat().st_mode & 0o077] == []


def test_a_process_that_dies_comes_back(instance: Instance) -> None:
    before = instance.pid_of("worker")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.pid_of("worker") not in (None, before) and instance.works("process:worker"))
    assert "worker 意外结束（信号 SIGKILL）" in instance.said


def test_a_process_of_control_that_dies_leaves_its_socket_to_the_next(instance: Instance) -> None:
    def workers() -> set[int]:
        return {pid for pid in instance.processes() if "gunicorn: worker" in _title(pid)}

    before = workers()
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    answers = [instance.get("/sign-in").status_code for _ in range(8)]
    assert answers == [200] * 8
    wait_until(lambda: len(workers() - {killed}) == len(before))
    assert before - {killed} < workers()


def test_what_they_are_forked_from_has_an_heir_that_need_not_load_the_code_anew(instance: Instance) -> None:
    for _ in range(3):
        before, heir = instance.pid_of("zygote"), _heir_of(instance)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: instance.pid_of("zygote") == heir)  # noqa: B023
        worker = instance.pid_of("worker")
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: instance.pid_of("worker") not in (None, worker))  # noqa: B023


def test_without_what_they_are_forked_from_the_others_go_on_and_one_that_dies_is_waited_for(instance: Instance) -> None:
    others = {name: instance.pid_of(name) for name in instance.told["processes"] if name != "worker"}
    gone = {instance.pid_of("zygote"), _heir_of(instance)}
    for pid in gone:
        os.kill(pid, signal.SIGSTOP)  # until we have looked nothing can be forked
    os.kill(instance.pid_of("worker"), signal.SIGKILL)
    wait_until(lambda: not instance.works("process:worker"))
    assert instance.get("/ready").status_code == 503
    for pid in gone:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: instance.works("process:worker"), 100)
    assert {name: instance.pid_of(name) for name in others} == others
    assert not {instance.pid_of("zygote"), _heir_of(instance)} & gone


def _heir_of(instance: Instance) -> int:
    """The heir's process id, as soon as there is one that is not the zygote."""
    found: set[int] = set()

    def there() -> bool:
        zygote = instance.pid_of("zygote")
        found.clear()
        found.update(pid for pid in instance.processes() if _title(pid).startswith("haitang zygote") and pid != zygote)
        return len(found) == 1 and zygote is not None

    wait_until(there, 60)
    return found.pop()


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8")
    except OSError:
        return ""


def test_what_the_processes_are_forked_from_has_no_connection_that_they_would_share(instance: Instance) -> None:
    folder = Path(f"/proc/{instance.pid_of('zygote')}/fd")
    # Its orders, and where commands are handed over. What it has just passed on to an heir is open there for a moment too.
    wait_until(lambda: len({each for each in map(_leads_to, folder.iterdir()) if each.startswith("socket:")}) == 2)


def _leads_to(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:  # closed since the folder was read
        return ""


def test_the_database_that_dies_comes_back_with_what_it_had(instance: Instance) -> None:
    os.kill(instance.process.pid, signal.SIGSTOP)  # until we have looked nobody starts it anew
    try:
        os.kill(instance.pid_of("postgres"), signal.SIGKILL)
        wait_until(lambda: not instance.works("database"))
    finally:
        os.kill(instance.process.pid, signal.SIGCONT)
    wait_until(lambda: instance.works("database", "control"), 100)
    assert instance.get("/sign-in").status_code == 200


def test_another_instance_runs_beside_it(instance: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path / "beside").start()
    try:
        assert other.url != instance.url
        wait_until(lambda: other.works("database") and instance.works("database"))
    finally:
        assert other.stop() == 0


def test_a_backup_restores_with_equal_counts(instance: Instance, tmp_path: Path) -> None:
    made = haitang("backup", str(tmp_path / "all.tar"), "--data", str(instance.data), timeout=120)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "all.tar").stat().st_mode & 0o077 == 0
    restored = haitang("restore", str(tmp_path / "all.tar"), "--data", str(tmp_path / "new"), timeout=120)
    assert restored.returncode == 0, restored.stderr  # it compares digests and the rows of every table itself
    assert (tmp_path / "new" / "keys" / "session").read_bytes() == (instance.data / "keys" / "session").read_bytes()


def test_a_drill_restores_reads_and_verifies_while_the_platform_works(instance: Instance, tmp_path: Path) -> None:
    done = haitang("backup", str(tmp_path / "all.tar"), "--drill", "--json", "--data", str(instance.data), timeout=200)
    assert done.returncode == 0, done.stderr
    drill = json.loads(done.stdout)["drill"]
    assert [step["name"] for step in drill["steps"]] == ["drain", "backup", "restore", "lake", "ledger"]
    assert drill["ledger"]["ok"]
    assert drill["ledger"]["counts"]["record"] > 0
    assert {"observations", "blocks"} <= drill["lake"].keys()
    assert [path.name for path in tmp_path.iterdir()] == ["all.tar"]


def test_a_backup_that_was_changed_is_refused(instance: Instance, tmp_path: Path) -> None:
    file = tmp_path / "all.tar"
    assert haitang("backup", str(file), "--data", str(instance.data), timeout=120).returncode == 0
    content = bytearray(file.read_bytes())
    content[2048] ^= 1
    file.write_bytes(content)
    restored = haitang("restore", str(file), "--data", str(tmp_path / "new"), timeout=120)
    assert restored.returncode == 1
    assert "database.dump" in restored.stderr


def test_ctrl_c_leaves_nothing_and_a_second_start_takes_seconds(instance: Instance) -> None:
    assert instance.stop(signal.SIGINT) == 0
    wait_until(lambda: instance.processes() == [])
    began = time.monotonic()
    instance.start()
    assert time.monotonic() - began < 120  # 5 s on two idle cores; the tests share them
    assert instance.said.count("一次性口令") == 1


def test_a_killed_supervisor_leaves_no_process(instance: Instance) -> None:
    instance.stop(signal.SIGKILL)
    wait_until(lambda: instance.processes() == [], 100)
