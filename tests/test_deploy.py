"""What deploy/ says, the product has: commands, settings, ports, paths, options of the engines beside it."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from haitang.base.settings import SETTINGS
from haitang.hub.data.lake.s3 import Access
from haitang.server.cli import main

TOP = Path(__file__).parents[1]
DEPLOY = TOP / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PAGES = [DEPLOY / "README.md", *sorted((TOP / "docs/how-to").glob("deploy-*.md")), *sorted((TOP / "docs/how-to").glob("use-outside-*.md"))]
DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
BESIDE = {"HAITANG_DUCKDB_EXTENSIONS", "HAITANG_LAKE_MEMORY", "HAITANG_PYTHON"}  # read where they are used, not settings of an instance
OF_S3 = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"}


def variables(text: str) -> set[str]:
    return set(re.findall(r"\b(?:HAITANG|AWS)_[A-Z0-9_]+\b", text))


def accepts(words: list[str]) -> click.Command:
    """The command of `./haitang words`, whose options are known; raises click's own error otherwise."""
    name, *rest = words
    context = click.Context(main)
    found = main.get_command(context, name)
    assert found, f"no command {name}"
    found.make_context(name, list(rest))
    return found


def instruction(name: str) -> list[str]:
    whole = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return [line.removeprefix(name).strip() for line in whole.splitlines() if line.startswith(name + " ")]


def compose() -> dict[str, Any]:
    return YAML(typ="safe").load(DEPLOY / "compose.yaml")["services"]  # type: ignore[no-any-return]


def unit(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Sections with their lines in order: a key may stand twice."""
    found: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(section, []).append((key, value))
    return found


@pytest.mark.parametrize("file", [DEPLOY / "Dockerfile", DEPLOY / "compose.yaml", *UNITS, *PAGES], ids=lambda file: file.name)
def test_every_variable_is_one_that_the_product_reads(file: Path) -> None:
    known = {setting.variable for setting in SETTINGS} | BESIDE | OF_S3
    assert variables(file.read_text("utf-8")) - known == set()


def test_the_variables_of_s3_are_read() -> None:
    told = {name: name for name in OF_S3} | {"AWS_ENDPOINT_URL": "http://s3:8333"}
    access = Access.of(told)
    assert {access.key, access.secret, access.token, access.region, access.endpoint} == (OF_S3 - {"AWS_ENDPOINT_URL"}) | {"s3:8333"}


def test_the_image_starts_what_there_is() -> None:
    (entry,), (command,) = (json.loads(instruction(name)[0]) for name in ("ENTRYPOINT", "CMD"))
    accepts([command])
    assert os.access(TOP / entry, os.X_OK)
    check = json.loads(instruction("HEALTHCHECK")[0].partition("CMD ")[2])
    assert check[1:3] == ["-m", "haitang.server.cli"]
    accepts(check[3:])
    assert {int(port) for port in instruction("EXPOSE")[0].split()} == {DEFAULTS[name] for name in ("http", "hj212", "mqtt")}
    assert f"HAITANG_DATA={instruction('VOLUME')[0]} " in instruction("ENV")[0]


def test_the_image_takes_away_only_what_the_building_brought() -> None:
    run = instruction("RUN")[-1]
    (wheel,) = re.findall(r"uninstall --quiet --yes (\S+)", run)
    assert (TOP / "requirements/node.txt").read_text("utf-8").startswith(f"{wheel}==")
    ignored = (TOP / ".dockerignore").read_text("utf-8").split()
    assert {".git", ".venv", ".haitang", "**/node_modules"} <= set(ignored)


def test_the_services_of_compose_reach_each_other() -> None:
    services = compose()
    ours = services["haitang"]["environment"]
    hosts = {
        re.search(r"(?:@|//)([a-z0-9]+):\d+", ours[name])[1] for name in ("HAITANG_DATABASE_URL", "HAITANG_NATS_URL", "AWS_ENDPOINT_URL")
    }  # type: ignore[index]
    assert hosts <= set(services)
    assert set(services["haitang"]["depends_on"]) <= set(services)
    published = {int(line.rpartition(":")[2]) for line in services["haitang"]["ports"]}
    assert published <= {int(port) for port in instruction("EXPOSE")[0].split()}
    assert services["haitang"]["volumes"] == [f"data:{instruction('VOLUME')[0]}"]
    assert (DEPLOY / services["haitang"]["build"]["context"] / services["haitang"]["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")


def test_the_pages_name_every_password_that_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?\}", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert asked
    assert all(name in page.read_text("utf-8") for name in asked for page in PAGES if "compose" in page.name or page.name == "README.md")


def test_the_store_has_the_options_that_compose_gives_it() -> None:
    weed = str(Path(sys.executable).parent / "weed")
    program, subcommand, *options = compose()["s3"]["entrypoint"]
    assert program == "weed"
    helped = subprocess.run([weed, "help", subcommand], capture_output=True, text=True, timeout=60, check=False)
    known = set(re.findall(r"^  -([\w.]+)", helped.stdout + helped.stderr, re.MULTILINE))
    assert {option.lstrip("-").partition("=")[0] for option in options} <= known


def test_the_stream_server_accepts_its_configuration() -> None:
    server = str(Path(sys.executable).parent / "nats-server")
    written = compose()["nats"]["environment"]["NATS_PASSWORD"]
    environment = {**os.environ, "NATS_PASSWORD": written.replace("${NATS_PASSWORD:?}", "12e5 words")}
    done = subprocess.run(
        [server, "-t", "-c", str(DEPLOY / "nats.conf")], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in (DEPLOY / "nats.conf").read_text("utf-8")


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_starts_what_there_is(file: Path) -> None:
    service = unit(file)["Service"]
    (started,) = (value for key, value in service if key == "ExecStart")
    program, *words = started.split()
    assert program == "/opt/haitang/haitang"
    accepts(words)
    assert [value for key, value in service if key == "EnvironmentFile"] == ["-/etc/haitang.env"]
    assert ("Environment", "HAITANG_DATA=/var/lib/haitang") in service


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for file in (DEPLOY / "systemd").iterdir():
        shutil.copy(file, units)
    program = tmp_path / "opt/haitang/haitang"
    program.parent.mkdir(parents=True)
    shutil.copy(TOP / "haitang", program)
    for needed in ("network-online", "sysinit", "basic", "shutdown", "timers", "multi-user", "time-sync", "time-set"):
        (units / f"{needed}.target").write_text("[Unit]\nDescription=stands for the machine's own\n", "utf-8")
    names = [file.name for file in (DEPLOY / "systemd").iterdir()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", f"--root={tmp_path}", *names], capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in done.stderr.splitlines() if "haitang" in line and "is not executable" not in line]
    assert said == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_commands_and_files_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    names = set(re.findall(r"(?:\./|/opt/haitang/)haitang ([a-z][a-z-]+)", text))
    assert names <= set(main.list_commands(click.Context(main)))
    files = set(re.findall(r"deploy/([\w./-]*\w)", text))
    assert {file for file in files if not (DEPLOY / file).exists() and file != ".env"} == set()


def test_a_timer_has_its_service() -> None:
    timers = list((DEPLOY / "systemd").glob("*.timer"))
    assert timers
    for timer in timers:
        configparser.ConfigParser(strict=False).read(timer, "utf-8")
        assert timer.with_suffix(".service").exists()
