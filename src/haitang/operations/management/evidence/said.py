"""What a record says, in words: its members and facts under titles that a person reads. What has no title here keeps its own name, so that nothing is left out."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.words import ORIGINS, PROCESSES, STATES, figure
from haitang.base.text import T, translate

FACTS: Mapping[str, str] = {
    "about": T("关于"), "actions": T("操作"), "active": T("启用"), "added": T("新增"), "address": T("地址"), "after": T("之后"), "answer": T("答复的摘要"),
    "approved": T("是否批准"), "approved_by": T("审批人"), "asked": T("要求"), "before": T("之前"), "begins": T("开始"), "by": T("经手"), "case": T("案件编号"),
    "cases": T("案件数"), "cause_cleared_at": T("起因消除时间"), "changed": T("改动"), "changes": T("改动数"), "channels": T("渠道"), "cleared_at": T("解除时间"),
    "code": T("代码"), "command": T("命令"), "compromised_since": T("泄露自"), "credential": T("凭据编号"), "definition": T("定义的摘要"), "device": T("设备类型"),
    "digest": T("内容的摘要"), "division": T("区划"), "ended": T("结束"), "ends": T("结束"), "event": T("流程事件序号"), "factor": T("验证方式"),
    "factors_dropped": T("作废的验证方式数"), "faults": T("问题"), "fictitious": T("虚构数据"), "fields": T("字段"), "file": T("文件"), "fills": T("承担职责"),
    "first": T("起始序号"), "from": T("起"), "grant": T("授权"), "head": T("链摘要"), "held": T("是否成立"), "key": T("密钥"), "kind": T("种类"),
    "last": T("截止序号"), "last_seal": T("最后封存"), "media_type": T("文件类型"), "mn": T("设备编号 MN"), "move": T("办理步骤"), "name": T("名称"), "number": T("编号"),
    "of_permissions": T("涉及权限的改动数"), "on_behalf_of": T("代表谁"), "opened_at": T("开始时间"), "organization": T("单位"), "origin": T("数据来源"),
    "parent": T("上级单位"), "people": T("人员编号"), "permission": T("权限"), "previous": T("前一把密钥"), "private_digest": T("私密文件的摘要"),
    "procedure": T("流程"), "proposal": T("申请编号"), "proposed_by": T("提出人"), "public": T("公钥"), "purpose": T("用途"), "query": T("筛选条件"),
    "quarantined": T("隔离行数"), "reason": T("原因"), "record": T("记录编号"), "records": T("记录数"), "release": T("声明版本"), "replaces": T("替换的版本"),
    "resource": T("资源"), "restored": T("恢复的记录数"), "role": T("角色"), "root": T("树根"), "rows": T("行数"), "rule": T("规则"), "run": T("流程实例"),
    "seals": T("封存范围"), "sessions_ended": T("结束的登录数"), "severity": T("严重程度"), "since": T("自"), "size": T("字节数"), "source": T("来源"),
    "stage": T("环节"), "starts_at": T("启用时间"), "state": T("状态"), "status": T("状态"), "subjects": T("涉及的人或对象"), "suite": T("密码套件"),
    "synthetic": T("虚构人员"), "table": T("数据表"), "thing": T("设备"), "title": T("标题"), "to": T("至"), "told": T("已告知"), "until": T("至"),
    "urgency": T("紧急程度"), "username": T("用户名"), "value": T("数值"), "values": T("数值"), "way": T("途径"), "what": T("事项"), "within": T("时限"),
    "written_at": T("写入时间"),
}  # fmt: skip
WORDS: Mapping[str, str] = {**STATES, **ORIGINS, **PROCESSES, "staff": T("工作人员"), "alarm": T("报警")}


def facts_of(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(title, value as HTML) of each fact, in the order of the record."""
    for name, value in facts.items():
        yield translate(FACTS.get(name, name)), said(value)


def said(value: Any) -> Any:
    """One value: times in local time, digests marked as such, lists and inner values in a line."""
    if value is None or value == [] or value == {} or value == "":
        return "—"
    if isinstance(value, bool | int | float):
        return figure(value, 0 if isinstance(value, int) else 2)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return _joined(said(each) for each in value)
    return _inner(value)


def _text(value: str) -> Any:
    if len(value) > 18 and value[4:5] == "-" and value[10:11] in "T ":
        try:
            return when(datetime.fromisoformat(value), "exact")
        except ValueError:
            pass
    word = WORDS.get(value)
    return translate(word) if word else format_html('<span class="mono">{}</span>', value)


def _inner(value: Mapping[str, Any]) -> SafeString:
    salted = next((inner for name, inner in value.items() if name.startswith("salted")), None)
    if salted is not None and len(value) == 1:
        return format_html('<span title="{}">{}</span>', salted, translate("只有加盐摘要"))
    return _joined(format_html("{} {}", translate(FACTS.get(name, name or T("合计"))), said(inner)) for name, inner in value.items())


def _joined(parts: Any) -> SafeString:
    return format_html_join("; ", "{}", ((part,) for part in parts))
