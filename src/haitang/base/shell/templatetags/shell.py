"""`{% load shell %}`: icons, assets, times, deadlines, states and figures."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from haitang.base import clock
from haitang.base.shell import words
from haitang.base.shell.assets import address
from haitang.base.text import translate

register = template.Library()


@register.simple_tag
def asset(name: str) -> str:
    """{% asset "app.css" %}: the address of a built asset."""
    return address(name)


@register.simple_tag
def icon(name: str) -> SafeString:
    """{% icon "bell" %}: decoration; the word stands beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', address("icons.svg"), name)


@register.simple_tag
def when(at: datetime | None, form: str = "relative") -> SafeString | str:
    """{% when event.at %}: relative for the recent, exact with offset on hover. {% when at "exact" %}, {% when at "day" %}."""
    if at is None:
        return "—"
    local = at.astimezone(clock.CHINA)
    exact = local.strftime("%Y-%m-%d %H:%M:%S +08:00")
    if form == "relative":
        return format_html('<time datetime="{}" title="{}" data-relative>{}</time>', at.isoformat(), exact, words.ago(at))
    shown = local.strftime("%Y-%m-%d" if form == "day" else "%Y-%m-%d %H:%M")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, shown)


@register.simple_tag
def status(state: str, word: str = "") -> SafeString:
    """{% status "warning" %}: shape, colour and word."""
    return format_html('<span class="status status-{}">{}</span>', state, translate(word or words.STATES.get(state, state)))


@register.simple_tag
def origin(kind: str) -> SafeString | str:
    """{% origin case.origin %}: replayed and simulated data say so where they stand."""
    if kind not in words.ORIGINS:
        return ""
    return format_html(
        '<span class="origin-mark" title="{}">{}</span>', translate(words.ORIGIN_HINTS[kind]), translate(words.ORIGINS[kind])
    )


@register.filter
def figure(value: Any, digits: int = 1) -> str:
    """{{ value|figure:indicator.digits }}: sensible digits, thousands apart, a dash for nothing."""
    return words.figure(value, digits)


@register.filter
def unit(written: Any) -> str:
    """{{ observed.unit|unit }}: as people print it."""
    return words.unit(str(written)) if written else ""


@register.filter
def phrase(text: Any) -> str:
    """{{ case.title|phrase }}: each part of a composed text in the reader's language."""
    return words.phrase(str(text)) if text else ""


@register.filter
def who(name: Any) -> str:
    """{{ entry.actor_name|who }}: a process of the platform by its title."""
    return words.who(str(name)) if name else ""


@register.filter
def span(value: timedelta) -> str:
    """{{ delta|span }}: 2 小时 5 分钟."""
    return words.span(value)


@register.filter
def written_span(text: str) -> str:
    """{{ "90min"|written_span }}: a duration of a declaration in words."""
    return words.written_span(text)


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """{{ mapping|lookup:key }}."""
    try:
        return mapping[key]
    except (KeyError, TypeError, IndexError):
        return None


@register.simple_tag(takes_context=True)
def address_with(context: template.Context, **changes: Any) -> str:
    """{% address_with page=2 sort=None %}: this page's address with some keys changed; a list gives a key several times."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        elif isinstance(value, Iterable) and not isinstance(value, str):
            query.setlist(name, [str(each) for each in value])
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else request.path


@register.filter
def lookup_list(query: Any, name: str) -> list[str]:
    """{{ request.GET|lookup_list:"column" }}: every value that the address gives a key."""
    return list(query.getlist(name))


@register.filter
def lookup_title(thing: Any) -> str:
    """{{ questions|lookup:name|lookup_title }}: the title of a thing, empty where there is none."""
    return getattr(thing, "title", "") or ""


@register.filter
def only_for(value: Any, kind: str) -> Any:
    """{{ case.organization_id|only_for:question.type }}: a proposed answer, for a question about an organization only."""
    return value if kind == "organization" else None
