"""`haitang gather --infer`: propose a resource from a file, write the declarations down, gather into it provisionally."""

from pathlib import Path
from typing import Any

from haitang.base.actions import acting, system
from haitang.base.settings import settings
from haitang.base.text import translate
from haitang.hub.data.gather import incoming
from haitang.hub.data.gather.actions import Sender
from haitang.hub.data.gather.infer import Proposal
from haitang.hub.data.gather.infer.doubts import said
from haitang.hub.data.gather.models import Run
from haitang.hub.data.gather.provisional.actions import checked, gather_provisionally
from haitang.hub.data.gather.provisional.proposing import about, proposed, shown


def start_inferred(file: Path, id: str, title: str, organization: str, *, only: bool = False) -> tuple[Proposal, Path, Run | None]:
    """Propose, write the files below `DATA/provisional/<id>`, and put the file into the queue unless `only` the proposal is wanted."""
    proposal = proposed(file, file.name, id=id, title=title, organization=organization)
    checked(proposal.id, proposal.files)
    folder = settings().data / "provisional" / proposal.id
    run = None if only else _start(proposal, file, organization)
    for relative, text in proposal.files.items():
        written = folder / relative
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text, "utf-8")
    return proposal, folder, run


def _start(proposal: Proposal, file: Path, organization: str) -> Run:
    kept = incoming.keep_file(file)
    with acting(system("operator")) as act:
        _, run = gather_provisionally(
            act=act, id=proposal.id, title=proposal.title, files=proposal.files, about=about(proposal), columns=proposal.mapping, file=kept,
            sender=Sender(organization),
        )  # fmt: skip
    return run


def told_of(proposal: Proposal, folder: Path) -> dict[str, Any]:
    """The proposal for programs."""
    seen = about(proposal)
    fields = [{**field, "doubts": said(field["doubts"])} for field in seen["fields"]]
    names = {"id": proposal.id, "title": proposal.title, "folder": str(folder), "files": sorted(proposal.files)}
    return {"provisional": {**names, **seen, "doubts": said(seen["doubts"]), "fields": fields}}


def in_words(proposal: Proposal, folder: Path) -> str:
    """The proposal for people: a line a field."""
    seen = about(proposal)
    lines = [f"提议数据资源 {proposal.id}（{proposal.title}），暂定；看了 {proposal.rows:,} 行{'' if proposal.whole else '（开头部分）'}"]
    lines += [f"主键：{'、'.join(proposal.key)}", *(f"请核对：{doubt}" for doubt in proposal.doubts)]
    for field in shown(seen):
        level = "" if field["level"] == "general" else f"  {field['level_title']}（{field['why']}）"
        lines.append(
            f"  {field['name']}  {field['heading']}  {translate(field['type_title'])}  合规 {field['share']}%  {field['sure_title']}{level}"
        )
        lines += [f"      {doubt}" for doubt in field["doubts"]]
    lines += [f"代码表 {table}：{'、'.join(codes)}" for table, codes in seen["code_tables"].items()]
    return "\n".join([*lines, f"声明写在 {folder}"])
