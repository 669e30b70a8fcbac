"""Verifies an evidence file offline: no database, no instance, only the file and, better, one public key from elsewhere.

From that key the verifier walks the chain of keys in the file (key_chain.py); with the certificates of a time-stamp service it checks time stamps too. Every fault is a `Finding` that says
where: line, record, member, seal.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from haitang.support.security.cryptography.suites import SUITES, Suite
from haitang.support.security.evidence import key_chain, seals, stamps
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.lines import FORMAT, check_of, marks_of
from haitang.support.security.evidence.merkle import leaf_hash, verify_inclusion

TYPES = ("manifest", "key", "compromise", "seal", "record", "row", "end")
_HEX = re.compile(r"^(?:[0-9a-f]{2})*$")
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Finding:
    """One fault. `code` for programs, `message` for people."""

    line: int
    code: str
    message: str
    record: str | None = None
    field: str | None = None
    seal: int | None = None


@dataclass
class Report:
    """What was verified; `trusted` says whether the signatures were checked against a key given from outside the file."""

    trusted: bool = False
    lines: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    stamps: int = 0
    stamps_anchored: int = 0
    complete: bool = False
    unsealed: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def _bytes(text: Any) -> bytes:
    """Lower-case hex only, so that each digest has one spelling."""
    if not isinstance(text, str) or not _HEX.match(text):
        raise ValueError("not lower-case hex")
    return bytes.fromhex(text)


class Verifier:
    """Takes a file line by line, in the order in which it is written."""

    def __init__(self, public: bytes | None = None, authorities: bytes | None = None) -> None:
        self.public, self.authorities = public, authorities
        self.report = Report(trusted=public is not None)
        self.digest = hashlib.sha256()
        self.manifest: dict[str, Any] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.compromised: dict[str, str] = {}
        self.walked: set[str] | None = None
        self.seals: dict[int, dict[str, Any]] = {}
        self.blocks: dict[str, dict[str, Any]] = {}
        self.seen: dict[int, set[int]] = defaultdict(set)
        self.ended = False

    def find(self, code: str, message: str, **where: Any) -> None:
        self.report.findings.append(Finding(self.report.lines, code, message, **where))

    def take(self, raw: bytes) -> None:
        """One line with its line feed."""
        self.report.lines += 1
        if self.ended:
            self.find("after_end", "文件结束行之后还有内容")
        line = self._read(raw)
        if line is not None:
            try:
                getattr(self, f"_{line['type']}")(line)
                self.report.counts[line["type"]] = self.report.counts.get(line["type"], 0) + 1
            except _MALFORMED as fault:
                self.find("malformed", f"这一行缺少内容或内容不合格式（{type(fault).__name__}）", seal=_number(line))
        self.digest.update(raw)

    def _read(self, raw: bytes) -> dict[str, Any] | None:
        if not raw.endswith(b"\n"):
            self.find("cut", "这一行没有换行结尾，文件可能被截断")
        try:
            line = json.loads(raw.decode("utf-8"))
            known = isinstance(line, dict) and line.get("type") in TYPES
            exact = known and canonical(line) + b"\n" == raw
        except (ValueError, RecursionError) as fault:
            self.find("unreadable", f"这一行不是合法的 JSON：{fault}")
            return None
        if not known:
            self.find("unknown_line", "这一行的类型不明")
            return None
        if not exact:
            self.find("not_canonical", "这一行不是规范形式，有字节被改动", seal=_number(line))
        self._own_check(line)
        return dict(line)

    def _own_check(self, line: Mapping[str, Any]) -> None:
        if line.get("check") == check_of(line):
            return
        body, marks = line.get("body"), line.get("marks")
        if line["type"] == "record" and isinstance(body, dict) and isinstance(marks, dict):
            right = marks_of(body)
            changed = [name for name in sorted({*right, *marks}) if right.get(name) != marks.get(name)]
            where = changed[0] if len(changed) == 1 else None
            self.find("changed", f"记录被改动：{'、'.join(changed) or '证明部分'}", record=_ref(line), field=where, seal=_number(line))
            return
        self.find("changed", "这一行被改动", seal=_number(line))

    def _suite(self, name: str) -> Suite:
        if name not in SUITES:
            raise ValueError(f"unknown suite {name}")
        return SUITES[name]

    def _manifest(self, line: dict[str, Any]) -> None:
        self.manifest = line
        self.report.complete, self.report.unsealed = line["complete"] is True, line["unsealed"]
        if line["format"] != FORMAT or self.report.lines != 1:
            self.find("format", f"不是本程序认识的证据文件格式（{FORMAT}）")

    def _key(self, line: dict[str, Any]) -> None:
        self._suite(line["suite"])
        if not key_chain.own_id(line):
            self.find("key_changed", f"公钥 {line['id']} 与其编号不符")
        previous = line["previous"]
        if not key_chain.possessed(line, self.keys) or (previous is not None and not key_chain.endorsed(line, self.keys)):
            self.find("key_chain", f"公钥 {line['id']} 没有被前一把密钥或它自己正确签署")
        self.keys[line["id"]] = line
        self.report.keys.append(line["public"])

    def _compromise(self, line: dict[str, Any]) -> None:
        by = self.keys.get(line["by"])
        message = key_chain.compromise_statement(line)
        if by is None or line["by"] == line["key"] or not self._trusts(line["by"]) or not key_chain.signed(by, message, line["signature"]):
            self.find("signature", f"密钥 {line['key']} 的泄露声明没有可信的签名")
            return
        known = self.compromised.get(line["key"])
        self.compromised[line["key"]] = min(known, line["since"]) if known else line["since"]

    def _trusts(self, key: str) -> bool:
        """Whether the pinned key vouches for this one; without a pinned key the file's own word is all there is."""
        if self.public is None:
            return True
        if self.walked is None:
            self.walked = key_chain.trusted(self.keys.values(), self.public)
        return key in self.walked

    def _signed(self, key: str, suite: str, message: bytes, signature: bytes) -> bool:
        known = self.keys.get(key)
        if known is None or known["suite"] != suite or not self._trusts(key):
            return False
        return self._suite(suite).verify(_bytes(known["public"]), message, signature)

    def _seal(self, line: dict[str, Any]) -> None:
        number, suite = int(line["number"]), self._suite(line["suite"])
        digest = seals.chain(line, suite)
        if digest != _bytes(line["chain"]):
            self.find("seal_changed", f"封存 {number} 的内容与其链值不符", seal=number)
        if not self._signed(line["key"], line["suite"], digest, _bytes(line["signature"])):
            self.find("signature", f"封存 {number} 的签名不成立", seal=number)
        if line["sealed_at"] >= self.compromised.get(line["key"], "9999"):
            self.find("key_compromised", f"封存 {number} 由已泄露的密钥 {line['key']} 在泄露之后签署", seal=number)
        if line["suite"] not in self.report.suites:
            self.report.suites.append(line["suite"])
        self._stamp(line, digest)
        before = self.seals.get(number - 1)
        expected = before["chain"] if before else seals.NOTHING_BEFORE if number == 1 else line["previous"]
        if line["previous"] != expected:
            self.find("chain", f"封存 {number} 没有接在封存 {number - 1} 之后", seal=number)
        if self.report.complete and self.seals and before is None:
            self.find("seal_missing", f"封存 {number} 之前缺少封存", seal=number)
        self.seals[number] = line

    def _stamp(self, line: dict[str, Any], chain: bytes) -> None:
        if line["timestamp"] is None:
            return
        try:
            stamp = stamps.check(_bytes(line["timestamp"]), chain, self.authorities)
        except stamps.StampFault as fault:
            self.find("timestamp", f"封存 {line['number']} 的时间戳不成立：{fault}", seal=line["number"])
            return
        self.report.stamps += 1
        self.report.stamps_anchored += stamp.anchored

    def _record(self, line: dict[str, Any]) -> None:
        body, number, index = line["body"], line["seal"], line["index"]
        where = {"record": _ref(line), "seal": number}
        seal = self.seals.get(number)
        if seal is None:
            self.find("no_seal", f"文件中没有这条记录所属的封存 {number}", **where)
            return
        hash = self._suite(seal["suite"]).hash
        proof = [_bytes(step) for step in line["proof"]]
        if not verify_inclusion(leaf_hash(canonical(body), hash=hash), index, seal["count"], proof, _bytes(seal["root"]), hash=hash):
            self.find("not_in_seal", f"记录与封存 {number} 的根不符", **where)
        if line["marks"] != marks_of(body):
            self.find("marks", "记录的字段标记与内容不符", **where)
        if index in self.seen[number]:
            self.find("twice", f"封存 {number} 的第 {index} 条记录出现两次", **where)
        self.seen[number].add(index)
        if body["subject_kind"] == "block":
            self.blocks[body["subject_id"]] = body["facts"]

    def _row(self, line: dict[str, Any]) -> None:
        block = self.blocks.get(line["block"])
        if block is None:
            self.find("no_block", f"文件中没有数据块 {line['block']} 的记录")
            return
        leaf, proof = leaf_hash(line["row"].encode()), [_bytes(step) for step in line["proof"]]
        if not verify_inclusion(leaf, line["index"], block["rows"], proof, _bytes(block["root"]), arity=block.get("arity", 2)):
            self.find("not_in_block", f"数据行与数据块 {line['block']} 的根不符")

    def _end(self, line: dict[str, Any]) -> None:
        self.ended = True
        if _bytes(line["digest"]) != self.digest.digest() or line["lines"] != self.report.lines - 1:
            self.find("file_changed", "文件内容与结束行的摘要不符")
        if not self._signed(line["key"], line["suite"], _bytes(line["digest"]), _bytes(line["signature"])):
            self.find("signature", "结束行的签名不成立")

    def finish(self) -> Report:
        """What can only be said at the end: nothing missing."""
        if not self.ended:
            self.find("cut", "没有结束行，文件可能被截断")
        for name in ("key", "compromise", "seal", "record", "row"):
            if self.manifest.get(f"{name}s") != self.report.counts.get(name, 0):
                self.find("count", f"清单说有 {self.manifest.get(f'{name}s')} 个 {name}，文件中有 {self.report.counts.get(name, 0)} 个")
        if self.report.complete:
            for number, seal in self.seals.items():
                self._nothing_missing(number, seal)
        return self.report

    def _nothing_missing(self, number: int, seal: Mapping[str, Any]) -> None:
        if not isinstance(seal["count"], int) or len(self.seen[number]) >= seal["count"]:
            return
        missing = next(index for index in range(seal["count"]) if index not in self.seen[number])
        self.find("record_missing", f"封存 {number} 缺少第 {missing} 条记录", seal=number)


def _ref(line: Mapping[str, Any]) -> str | None:
    body = line.get("body")
    found = body.get("ref") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _number(line: Mapping[str, Any]) -> int | None:
    found = line.get("number" if line.get("type") == "seal" else "seal")
    return found if isinstance(found, int) else None


def verify(lines: Iterable[bytes], public: bytes | None = None, authorities: bytes | None = None) -> Report:
    """Verify an evidence file given as lines (an open binary file will do).

    `public` is a raw public key from elsewhere, best the first one (the root); `authorities` are PEM certificates of the time-stamp service.
    """
    verifier = Verifier(public, authorities)
    for raw in lines:
        verifier.take(raw)
    return verifier.finish()
