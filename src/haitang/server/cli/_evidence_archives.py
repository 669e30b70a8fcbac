"""`haitang evidence archive`, `restore-archive`, `search-archives`."""

from typing import Any

import click

from haitang.server.cli.options import as_json, instance, show


@click.command(
    "archive",
    help="立即归档到期的证据（Move evidence that is due into sealed archives）。\n\n"
    "超过设置 evidence_months（默认 12，不少于 6）个月的证据写入数据目录的 archives/，核验无误后移出数据库。后台每分钟也会检查。\n\n曾用 restore-archive 恢复的记录也一并移出（records that were restored leave again）。",
)
@instance("data", boot=True, running=True)
@as_json
def archive(as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.support.security.evidence.archives import archive_due, put_back, restored
    from haitang.support.security.evidence.models import Archive

    moved = archive_due()
    with acting(system("operator")) as act:
        back = sum(put_back(act=act, found=each) for each in restored())
    found = [
        {"file": each.file, "first_seal": each.first_seal, "last_seal": each.last_seal, "records": each.records, "digest": each.digest}
        for each in Archive.objects.order_by("first_seal")
    ]
    lines = [f"{each['file']}  封存 {each['first_seal']} 至 {each['last_seal']}，{each['records']} 条记录" for each in found]
    show(
        {"moved": moved, "put_back": back, "archives": found},
        as_json,
        "\n".join([f"归档 {moved} 条记录，移出曾恢复的 {back} 条。", *lines]),
    )


@click.command("restore-archive", help="把含有某次封存的归档恢复到数据库（Bring the archive that holds a seal back into the database）。")
@click.argument("seal", type=int)
@instance("data", boot=True, running=True)
@as_json
def restore_archive(seal: int, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.support.security.evidence.archives import archive_of, restore

    found = archive_of(seal)
    with acting(system("operator")) as act:
        count = restore(act=act, found=found)
    show({"restored": count, "file": found.file}, as_json, f"已从 {found.file} 恢复 {count} 条记录。")


@click.command(
    "search-archives",
    help="在归档中查询谁访问过某人的数据（Who saw this person's data, in the archives）。查询本身会留证。\n\n"
    "KIND 是标识种类（resident_id、name、mobile…）；标识由提示输入，不进入命令历史。",
)
@click.argument("kind")
@click.option("--value", prompt="标识", hide_input=True, help="标识；不写时提示输入（prompted for when left out）。")
@click.option("--purpose", required=True, help="用途代码，随查询留证（recorded with the search）。")
@instance("data", boot=True, running=True)
@as_json
def search_archives(kind: str, value: str, purpose: str, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.support.security.evidence.actions import answer_digest, record_access
    from haitang.support.security.evidence.archives import search_archives as search
    from haitang.support.security.evidence.ledger import body
    from haitang.support.security.evidence.subjects import searched

    found = [body(record) for record in search(searched([(kind, value)]))]
    with acting(system("operator")) as act:
        record_access(
            act=act, resource="evidence", fields=["archived accesses"], rows=len(found), answer=answer_digest(str(len(found)).encode()),
            purpose=purpose, way="haitang evidence search-archives", subjects=[(kind, value)], by_every_suite=True,
        )  # fmt: skip
    show(found, as_json, "\n".join(map(_line, found)) or "归档中没有对此人数据的访问。")


def _line(body: dict[str, Any]) -> str:
    facts = body["facts"]
    return f"{body['at']}  {body['actor']}  代表 {facts.get('on_behalf_of') or '—'}  用途 {facts.get('purpose')}  {body['subject_id']}：{'、'.join(facts.get('fields', []))}"
