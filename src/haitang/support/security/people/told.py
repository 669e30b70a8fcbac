"""What may be said of a person: the form of user name, name, e-mail address and mobile number, wherever they are typed."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from haitang.base.errors import error
from haitang.base.text import T, translate

BAD_PERSON = error("people.bad_person", 400, "不能这样填写：{reason}。")

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,63}")
_MOBILE = re.compile(r"1[0-9]{10}")


def wrong_username(username: str) -> str:
    """Only ASCII: no name looks like another one by a letter of another script or by something that cannot be seen."""
    return "" if _USERNAME.fullmatch(username) else translate(T("用户名由字母、数字、点、横线组成，2 至 64 个字符"))


def wrong_name(name: str) -> str:
    """What is wrong with a name, or nothing. A character that turns or hides text lets one person pass for another."""
    if not 0 < len(name.strip()) <= 64:
        return translate(T("请填写姓名，最多 64 个字"))
    return translate(T("姓名中有不可见的字符")) if any(unicodedata.category(each) in ("Cc", "Cf", "Co", "Cs") for each in name) else ""


def wrong_ways(told: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of an e-mail address and a mobile number."""
    if told["mobile"] and not _MOBILE.fullmatch(told["mobile"]):
        yield "mobile", translate(T("手机号应为 1 开头的 11 位数字"))
    try:
        if told["email"]:
            validate_email(told["email"])
    except ValidationError:
        yield "email", translate(T("邮箱地址不完整"))


def refuse_wrong(*, name: str, email: str, mobile: str, username: str | None = None) -> None:
    """Raise BAD_PERSON with the first reason."""
    reasons = [wrong_name(name), *(reason for _, reason in wrong_ways({"email": email, "mobile": mobile}))]
    if username is not None:
        reasons.insert(0, wrong_username(username))
    for reason in filter(None, reasons):
        raise BAD_PERSON(reason=reason)
