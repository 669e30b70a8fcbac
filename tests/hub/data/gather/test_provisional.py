"""A resource proposed from a file: gathered into at once, labelled, shown to few, adopted by a second person or taken away with its data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from haitang.base.actions import acting
from haitang.base.declarations import in_force, put_in_force
from haitang.base.declarations.actions import admit_release
from haitang.base.declarations.loader import load_folders
from haitang.base.declarations.models import Provisional
from haitang.base.declarations.owners import Owner, owner_of_folder
from haitang.base.declarations.release import Source
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import stored_columns
from haitang.hub.data.gather.models import Held, Run
from haitang.server.inferring import start_inferred, told_of
from haitang.server.places import export
from haitang.support.security.evidence.models import EvidenceRecord
from tests.hub.data.gather.conftest import OPERATOR, Bench, everything
from tests.hub.data.gather.test_quarantine import client

# a title over the table, headings merged, a ragged line, a row of totals, GB18030, an invented person
DIRTY = "客运线路营运情况表,,,,\n编号,线路名称,联系人,联系电话,里程(公里)\n" + "".join(
    f"X{n:03},线路{n},赵{n},1540000{n:04},{n}.5\n" for n in range(1, 41)
)  # fmt: skip
DIRTY += "X041,线路41,赵41,15400000041\nX042,线路42,赵42,154000,42.5\n合计,42,,,861\n"


@pytest.fixture
def live(bench: Bench) -> Iterator[Bench]:
    """The bench under a release of the database, as an instance is."""
    with acting(OPERATOR) as act:
        admit_release(act=act, owners=everything().owners)
    put_in_force(Source(look_every=0))
    yield bench
    put_in_force(everything())


@pytest.fixture
def handler(live: Bench) -> Client:
    return client("handler")


def upload(client: Client, text: str = DIRTY, **more: str) -> str:
    file = SimpleUploadedFile("客运线路.csv", text.encode("gb18030"))
    return client.post("/gather/upload", {"resource": "", "file": file, **more}).content.decode()


def accept(client: Client, live: Bench, **more: str) -> Run:
    upload(client)
    kept = next((live_folder()).iterdir()).name
    given = {"kept": kept, "name": "客运线路.csv", "id": "bus_lines", "title": "客运线路", **more}
    answer = client.post("/gather/infer", given)
    assert answer.status_code == 302, answer.content.decode()
    live.work()
    return Run.objects.get(load="update")


def live_folder() -> Path:
    from haitang.hub.data.gather.incoming import folder

    return folder()


def test_a_dirty_file_without_a_resource_is_proposed_with_what_is_doubted(handler: Client) -> None:
    text = upload(handler)
    for shown in ("客运线路", "值是手机号码", "标题像是个人信息", "将隔离", "暂定并采集", "resources/"):
        assert shown in text
    assert not Provisional.objects.exists()


def test_what_is_accepted_is_gathered_and_labelled_everywhere(live: Bench, handler: Client) -> None:
    run = accept(handler, live)
    assert (run.state, run.read, run.accepted, run.quarantined) == ("done", 42, 40, 2)
    found = in_force().get(Resource, "bus_lines")
    assert found.provisional
    assert found.title == "客运线路（暂定）"
    text = handler.get("/resources/bus_lines").content.decode()
    assert "客运线路（暂定）" in text
    assert "15400000001" not in text
    assert handler.get("/api/resources/bus_lines/rows").json()["provisional"] is True
    assert handler.get(f"/api/gather/runs/{run.pk}").json()["provisional"] is True


def test_others_neither_see_nor_read_it(live: Bench, handler: Client) -> None:
    accept(handler, live)
    other = client("dispatcher", None)
    assert "客运线路" not in other.get("/resources").content.decode()
    assert other.get("/resources/bus_lines").status_code == 403
    assert other.get("/api/resources/bus_lines/rows").status_code == 403
    found = Provisional.objects.get()
    assert other.get(f"/gather/provisional/{found.pk}").status_code == 403
    assert client("data_steward", None).get("/resources/bus_lines").status_code == 200


def test_a_second_person_adopts_it_and_the_label_goes(live: Bench, handler: Client) -> None:
    accept(handler, live)
    found = Provisional.objects.get()
    file = f"file-resources/{found.declaration}.yaml"
    text = found.files["resources/bus_lines.yaml"]
    assert handler.post(f"/gather/provisional/{found.pk}/adopt").status_code == 403
    steward = client("data_steward", None)
    refused = steward.post(f"/gather/provisional/{found.pk}/adopt", {file: text.replace("type: mobile", "type: text")})
    assert "采纳时不能增减字段" in refused.content.decode()
    mended = text.replace("basis: 待来源单位填写", "basis: 示例依据")
    assert steward.post(f"/gather/provisional/{found.pk}/adopt", {file: mended}).status_code == 302
    adopted = in_force().get(Resource, "bus_lines")
    assert (adopted.provisional, adopted.title, adopted.basis) == (False, "客运线路", "示例依据")
    assert client("dispatcher", None).get("/resources/bus_lines").status_code == 200


def test_adopted_it_is_exported_with_the_place_and_checks_there(live: Bench, handler: Client, tmp_path: Path) -> None:
    accept(handler, live)
    found = Provisional.objects.get()
    client("data_steward", None).post(f"/gather/provisional/{found.pk}/adopt", {})
    owners = {where: [owner for owner in in_force().owners if owner.where == where] for where in ("place", "adopted")}
    out = export(owners["place"][0], [], tmp_path / "out", owners["adopted"])
    loaded = load_folders([owner for owner in in_force().owners if owner.where not in owners] + [owner_of_folder(out, "place")])
    assert loaded.declarations, "\n".join(map(str, loaded.errors))
    resource = loaded.declarations.get(Resource, "bus_lines")
    assert (resource.owner, resource.provisional, resource.key) == (out.name, False, in_force().get(Resource, "bus_lines").key)


def test_who_proposed_it_does_not_adopt_it(live: Bench) -> None:
    steward = client("data_steward", "market")
    accept(steward, live)
    found = Provisional.objects.get()
    assert "提议的人不能自己采纳" in steward.post(f"/gather/provisional/{found.pk}/adopt").content.decode()
    assert Provisional.objects.get().status == "provisional"


def test_discarded_it_leaves_the_lake_the_quarantine_and_the_catalogue_with_evidence(live: Bench, handler: Client) -> None:
    run = accept(handler, live)
    found = Provisional.objects.get()
    handler.post(f"/gather/provisional/{found.pk}/discard", {"note": "传错了文件"})
    live.work()
    found.refresh_from_db()
    assert found.status == "discarded"
    assert "bus_lines" not in in_force().all(Resource)
    assert not stored_columns(live.lake, "resource_bus_lines")
    assert not Held.objects.filter(run=run).exists()
    assert Run.objects.get(load="discard").removed == 40
    assert EvidenceRecord.objects.filter(action="gather.gone").exists()
    assert accept_again(handler, live).accepted == 40


def accept_again(client: Client, live: Bench) -> Run:
    upload(client)
    kept = next((live_folder()).iterdir()).name
    client.post("/gather/infer", {"kept": kept, "name": "客运线路.csv", "id": "bus_lines", "title": "客运线路"})
    live.work()
    return Run.objects.filter(load="update").order_by("-created_at")[0]


def test_a_release_that_declares_it_takes_its_place(live: Bench, handler: Client) -> None:
    accept(handler, live)
    found = Provisional.objects.get()
    owners = [*everything().owners, Owner("buses", "application", Path("buses"), {"application.yaml": "title: 客运\n", **found.files})]
    with acting(OPERATOR) as act:
        admit_release(act=act, owners=owners)
    taken = in_force().get(Resource, "bus_lines")
    assert (taken.provisional, taken.owner) == (False, "buses")


def test_an_id_that_is_declared_already_is_refused(live: Bench, handler: Client) -> None:
    upload(handler)
    kept = next((live_folder()).iterdir()).name
    answer = handler.post("/gather/infer", {"kept": kept, "name": "店.csv", "id": "shop", "title": "店"})
    assert "已有数据资源“shop”" in answer.content.decode()
    assert not Provisional.objects.exists()


def test_the_command_writes_the_declarations_down_and_says_how_sure_it_is(live: Bench, tmp_path: Path) -> None:
    (tmp_path / "客运线路.csv").write_bytes(DIRTY.encode("gb18030"))
    proposal, folder, run = start_inferred(tmp_path / "客运线路.csv", "bus_lines", "", "market")
    live.work()
    assert run is not None
    run.refresh_from_db()
    assert (run.accepted, run.quarantined, run.organization) == (40, 2, "market")
    written = Owner("buses", "application", folder, {"application.yaml": "title: 客运\n", **dict(_files(folder))})
    assert not [problem for problem in load_folders([*everything().owners, written]).errors if "buses" in str(problem)]
    told = {field["name"]: field for field in told_of(proposal, folder)["provisional"]["fields"]}
    assert (told["phone"]["level"], told["phone"]["why"], told["phone"]["sure"]) == ("sensitive", "值是手机号码", "low")
    assert told["code"]["sure"] == "high"


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for file in folder.rglob("*.yaml"):
        yield file.relative_to(folder).as_posix(), file.read_text("utf-8")
