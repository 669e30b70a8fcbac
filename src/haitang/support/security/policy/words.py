"""Policies, decisions and filters as people read them."""

from haitang.base.declarations import in_force
from haitang.base.text import T, translate
from haitang.support.security.people.kinds import Organization
from haitang.support.security.policy.rows import Filter

LEVEL_TITLES = {0: T("公开"), 1: T("一般"), 2: T("敏感"), 3: T("重要"), 4: T("核心")}
ATTRIBUTE_TITLES = {
    "ref": T("编号"), "kind": T("种类"), "organization": T("所属单位"), "division": T("所在区划"), "owner": T("提交人"), "level": T("级别"),
    "stage": T("环节"), "sharing": T("共享属性"), "device": T("设备类型"),
}  # fmt: skip
SORT_TITLES = {
    "role": T("角色"), "own": T("角色（限本单位）"), "system": T("平台进程"), "shipped": T("平台自带"), "declared": T("应用或地方声明"),
}  # fmt: skip
_OPS = {
    "<": T("{what}低于{value}"), "<=": T("{what}不高于{value}"), ">": T("{what}高于{value}"), ">=": T("{what}不低于{value}"),
}  # fmt: skip
_IS = T("{what}是{value}")


def in_words(found: Filter, me: str = "") -> str:
    """Which rows a filter lets through: `所属单位是区水利局，且级别低于敏感`. `me` is the reader's own ref."""
    match found.op:
        case "true":
            return translate("全部内容")
        case "false":
            return translate("什么都不能")
        case "and":
            return translate("，且").join(part for part in (in_words(each, me) for each in found.parts if each.op != "has"))
        case "or":
            return translate("；或者").join(in_words(part, me) for part in found.parts)
        case "not":
            return translate("不是（{what}）", what=in_words(found.parts[0], me))
        case "has":
            return translate("写明了{what}", what=translate(ATTRIBUTE_TITLES[found.attribute]))
    return translate(_OPS.get(found.op, _IS), what=translate(ATTRIBUTE_TITLES[found.attribute]), value=_value(found, me))


def _value(found: Filter, me: str) -> str:
    if found.attribute == "level":
        return translate(LEVEL_TITLES.get(found.value, str(found.value)))
    if found.attribute == "organization":
        declared = in_force().all(Organization)
        ids = found.value if isinstance(found.value, tuple) else (found.value,)
        return translate("、").join(translate(declared[id].title) if id in declared else id for id in ids)
    if found.attribute == "owner" and found.value == me:
        return translate("本人")
    return "、".join(found.value) if isinstance(found.value, tuple) else str(found.value)
