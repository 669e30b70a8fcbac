"""`haitang evidence`: export, receipt, verify."""

import itertools
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click

from haitang.server.cli._evidence_archives import archive, restore_archive, search_archives
from haitang.server.cli._evidence_clauses import clauses
from haitang.server.cli._evidence_keys import admit_node, list_keys, mark_compromised, rotate_key
from haitang.server.cli.options import as_json, instance, show

DAY = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group(
    "evidence",
    help="导出和核验证据账本（Export and verify the evidence ledger）。\n\n"
    "例：haitang evidence export ledger.jsonl；haitang evidence verify ledger.jsonl --key 公钥。",
)
def command() -> None:
    """The group."""


for _each in (list_keys, rotate_key, mark_compromised, admit_node, archive, restore_archive, search_archives, clauses):
    command.add_command(_each)


@command.command(
    "export",
    help="把已封存的证据写入 FILE，任何人可离线核验（Write the sealed evidence to FILE, which anyone can verify offline）。\n\n"
    "不加 --subject 时按封存时间导出全部记录；--subject case:编号 只导出一个案件的记录、通知、报警和相关观测数据。",
)
@click.argument("file", type=click.File("wb"))
@click.option("--from", "since", type=DAY, help="起始日期，含当日，中国时间（from this day, China time）。")
@click.option("--to", "until", type=DAY, help="截止日期，不含当日（up to this day）。")
@click.option("--subject", metavar="KIND:ID", help="只导出一个对象，如 case:案件编号（one subject only）。")
@instance("data", boot=True, running=True)
@as_json
def export(file: BinaryIO, since: datetime | None, until: datetime | None, subject: str | None, as_json: bool) -> None:
    from haitang.base.actions import acting, system
    from haitang.support.security.evidence.export import Scope, note_export
    from haitang.support.security.evidence.export import export as write
    from haitang.support.security.evidence.sealing import seal_all

    subjects, rows = _subjects(subject)
    scope = Scope(since=_china(since), until=_china(until), subjects=subjects)
    with acting(system("operator")) as act:
        note_export(act=act, scope=scope)
    seal_all()
    manifest = write(file, scope, rows)
    text = f"已写入 {file.name}：{manifest['records']} 条记录，{manifest['seals']} 个封存，{manifest['rows']} 行观测数据。"
    if manifest["unsealed"]:
        text += f"\n另有 {manifest['unsealed']} 条记录所在的事务尚未全部结束，下次封存后才能导出。"
    show(manifest, as_json, f"{text}\n核验：haitang evidence verify {file.name}")


def _subjects(subject: str | None) -> tuple[tuple[str, ...], list[Any]]:
    """The subjects to export and rows of the lake; for a case also what belongs to it."""
    if subject is None:
        return (), []
    kind, separator, id = subject.partition(":")
    if not separator:
        raise click.BadParameter("写成 类型:编号，如 case:案件编号（write KIND:ID）", param_hint="--subject")
    if kind != "case":
        return (subject,), []
    from haitang.server.evidence_of_case import case_of, rows_of, subjects_of

    case = case_of(id)
    return subjects_of(case), rows_of(case)


def _china(at: datetime | None) -> datetime | None:
    from haitang.base.clock import CHINA

    return at.replace(tzinfo=CHINA) if at else None


@command.command(
    "receipt", help="一条记录的收据：它与所属封存之间的证明（The proof that one record stands in its seal）。默认写到标准输出。"
)
@click.argument("record", metavar="ID", type=click.UUID)
@click.argument("file", type=click.File("wb"), default="-")
@instance("data", boot=True, running=True)
def receipt(record: UUID, file: BinaryIO) -> None:
    from haitang.support.security.evidence.export import receipt as write

    write(file, str(record))


@command.command(
    "verify",
    help="离线核验证据文件：不需要实例和数据库（Verify an evidence file offline, with no instance and no database）。\n\n"
    "--key 是从公开页面等其他途径得到的公钥（十六进制，或内含它的文件），记住首把即可，之后各把由前一把签署；不给时只能说明文件自相一致。\n"
    "FILE 也可以是二维码凭据的文字。\n"
    "--tsa-ca 是时间戳服务的证书（PEM）；不给时只核对时间戳与封存是否相符。\n"
    "退出码：0 全部成立，1 有改动或缺失（指出所在的行、记录、字段和封存）。",
)
@click.argument("file", type=click.File("rb"))
@click.option("--key", metavar="PUBKEY", help="公钥，十六进制或文件（public key, hex or a file with it）。")
@click.option(
    "--keys",
    type=click.File("rb"),
    help="核验二维码凭据时的密钥链：/api/evidence/roots 的内容（the published chain of keys, for a receipt of a QR code）。",
)
@click.option("--tsa-ca", type=click.File("rb"), help="时间戳服务的证书文件（certificates of the time-stamp service, PEM）。")
@as_json
def verify(file: BinaryIO, key: str | None, keys: BinaryIO | None, tsa_ca: BinaryIO | None, as_json: bool) -> None:
    from haitang.support.security.evidence.verify import verify as check

    content = itertools.chain([first := file.readline()], file)
    if first and not first.startswith(b"{"):
        _verify_compact(b"".join(content).decode("utf-8", "replace"), _public(key) if key else None, keys, as_json)
    report = check(content, _public(key) if key else None, tsa_ca.read() if tsa_ca else None)
    show(report.as_json(), as_json, _text(report))
    sys.exit(0 if report.ok else 1)


def _verify_compact(text: str, key: bytes | None, keys: BinaryIO | None, as_json: bool) -> None:
    """A receipt as a QR code has it; ends the command."""
    from haitang.support.security.evidence import compact

    if key is None:
        raise click.UsageError("核验二维码凭据需要 --key（a receipt of a QR code needs --key）")
    told = json.load(keys) if keys else {}
    try:
        found = compact.read(text)
        compact.holds(found, told.get("keys", []), key, {each["key"]: each["since"] for each in told.get("compromises", [])})
    except compact.ReceiptFault as fault:
        show({"ok": False, "fault": fault.code}, as_json, f"凭据不成立：{FAULTS[fault.code]}")
        sys.exit(1)
    seal = found.seal
    show(
        {"ok": True, "leaf": found.leaf, "index": found.index, "seal": seal},
        as_json,
        f"凭据成立：摘要为 {found.leaf} 的记录是封存 {seal['number']} 的第 {found.index} 条，封存于 {seal['sealed_at']}，由密钥 {seal['key']} 签名。",
    )
    sys.exit(0)


FAULTS = {
    "unreadable": "内容不完整或被改动（changed or not whole）",
    "unknown_key": "签署的密钥不由所给公钥担保，请用 --keys 给出密钥链（the key is not vouched for; give --keys）",
    "key_compromised": "签署的密钥当时已泄露（the key was compromised then）",
    "signature": "签名不成立（the signature does not hold）",
}


def _public(key: str) -> bytes:
    try:
        text = Path(key).read_text("ascii").strip() if len(key) < 64 or Path(key).is_file() else key
        return bytes.fromhex(text)
    except (OSError, ValueError) as fault:
        raise click.BadParameter(f"不是十六进制公钥，也不是这样的文件：{fault}", param_hint="--key") from None


def _stamps(report: Any) -> str:
    if not report.stamps:
        return ""
    how = "并由所给证书核验" if report.stamps_anchored == report.stamps else "与封存相符，未给证书（--tsa-ca），签发者未核验"
    return f"\n时间戳 {report.stamps} 个，{how}。"


def _text(report: Any) -> str:
    counts = report.counts
    head = f"{counts.get('record', 0)} 条记录，{counts.get('seal', 0)} 个封存，{counts.get('row', 0)} 行观测数据"
    if report.ok:
        kept = "签名由所给公钥核验。" if report.trusted else f"签名由文件自带的公钥核验，请与公布的公钥比对：{'、'.join(report.keys)}"
        return f"全部成立：{head}。{kept}{_stamps(report)}"
    lines = [f"发现 {len(report.findings)} 处问题（{head}）："]
    for finding in report.findings[:50]:
        where = [f"第 {finding.line} 行"]
        where += [f"封存 {finding.seal}"] if finding.seal is not None else []
        where += [f"记录 {finding.record}"] if finding.record else []
        where += [f"字段 {finding.field}"] if finding.field else []
        lines.append(f"  {'，'.join(where)}：{finding.message}")
    return "\n".join(lines)
