"""`{% load haitang %}`: text in the reader's language.

{% t "案件" %}   {% t "共 {n} 条" n=cases|length %}   {% t stage.title %}   {{ stage.title|t }}   {% t "案件" as word %}
"""

from typing import Any

from django import template

from haitang.base.text import said, translate

register = template.Library()


@register.simple_tag
def t(text: Any, **variables: Any) -> str:
    """The text in the reader's language; the result is escaped like any variable."""
    return translate(str(text), **variables) if text not in (None, "") else ""


@register.filter("t")
def t_filter(text: Any) -> str:
    """The same for a variable."""
    return translate(str(text)) if text not in (None, "") else ""


@register.filter("said")
def said_filter(text: Any) -> str:
    """{{ decision.reason|said }}: a reason put together with `：` and `、`, each part in the reader's language."""
    return str(said(str(text))) if text else ""
