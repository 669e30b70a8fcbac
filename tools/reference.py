"""Writes docs/reference/*.md from what the code registers. `--check` writes nothing and fails when a page is not fresh."""

import importlib
import os
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

TOP = Path(__file__).resolve().parent.parent
PAGES = TOP / "docs" / "reference"
MADE = "<!-- Made by tools/reference.py. Do not edit by hand. -->"


def import_everything() -> None:
    """Import every module, so that everything that registers itself has."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "haitang.server.django_settings"
    import django

    django.setup()
    from haitang.server.discovery import load_kinds

    load_kinds()
    package = importlib.import_module("haitang")
    for module in pkgutil.walk_packages(package.__path__, "haitang.", onerror=lambda name: None):
        if "migrations" not in module.name and not module.name.endswith(("__main__", "wsgi", "asgi")):
            importlib.import_module(module.name)


def cell(text: Any) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def table(columns: list[str], rows: list[list[Any]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows])


def page(title: str, intro: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", MADE, intro, *filter(None, parts)]) + "\n"


def doc(thing: Any) -> str:
    """The docstring as Markdown: its indented lists become code blocks."""
    return re.sub(r"\n(?=    )", "\n", cleandoc(thing.__doc__ or "")).replace(":\n    ", ":\n\n    ")


# -- kinds ---------------------------------------------------------------------------------


def type_words(annotation: Any) -> str:
    """An annotation as an author would say it."""
    from haitang.base.declarations.walk import members, unwrap

    inner, _ = unwrap(annotation)
    origin, args = get_origin(inner), get_args(inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_words(each) for each, _ in members(inner)))
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in args)
    if origin in (list, tuple):
        return "list of " + " and ".join(dict.fromkeys(type_words(each) for each in args if each is not Ellipsis))
    if origin is dict:
        return f"mapping of {type_words(args[0])} to {type_words(args[1])}"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return f"[{inner.__name__}](#{inner.__name__.lower()})"
    return names.get(inner, getattr(inner, "__name__", str(inner)))


def default_words(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    value = info.default if info.default is not PydanticUndefined else None
    return "" if value in (None, [], {}, "") else f"`{value}`"


def key_rows(model: type[BaseModel]) -> Iterator[list[str]]:
    from haitang.base.declarations.model import Reference
    from haitang.base.declarations.walk import members, tunable_marks, written_name

    for name, info in model.model_fields.items():
        marks = (*info.metadata, *(mark for _, found in members(info.annotation) for mark in found))
        refers = ", ".join(f"{mark.kind}" for mark in marks if isinstance(mark, Reference))
        tunable = tunable_marks(info.annotation, tuple(info.metadata), ())
        yield [
            f"`{written_name(name, info)}`",
            type_words(info.annotation) + (f" (id of: {refers})" if refers else ""),
            default_words(info),
            (tunable.why or "yes") if tunable else "",
        ]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    from haitang.base.declarations.walk import members

    for inner, _ in members(annotation):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield inner
            for info in inner.model_fields.values():
                yield from models_in(info.annotation)
        else:
            for argument in get_args(inner):
                yield from models_in(argument)


def kinds_page() -> str:
    from haitang.base.declarations.files import expected_file
    from haitang.base.declarations.kinds import all_kinds

    parts = []
    columns = ["key", "value", "default", "tunable"]
    for name, kind in sorted(all_kinds().items()):
        parts += [f"## {name} · {kind.title}", f"`{expected_file(kind)}`, declared by {' or '.join(sorted(kind.where))}.", doc(kind.model)]
        parts.append(table(columns, list(key_rows(kind.model))))
        inside = [model for info in kind.model.model_fields.values() for model in models_in(info.annotation)]
        for model in dict.fromkeys(inside):
            parts += [f"### {model.__name__}", doc(model), table(columns, list(key_rows(model)))]
    intro = (
        "Every kind of declaration: where its file stands, its keys, and which of them a place or an approved edit may set (tunable). "
        "`haitang check --schema DIR` writes the same as JSON Schema for editors."
    )
    return page("Kinds", intro, *parts)


# -- the other pages -----------------------------------------------------------------------


def settings_page() -> str:
    from haitang.base.settings import SETTINGS

    rows = [
        [f"`{s.name}`", f"`{s.variable}`", s.type.__name__, f"`{s.default}`" if s.default not in ("", None) else "", s.help]
        for s in SETTINGS
    ]
    intro = "First wins: command-line option, environment variable, `haitang.toml` at the top of the checkout, default."
    return page("Settings", intro, table(["setting", "environment variable", "type", "default", "meaning"], rows))


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(command, info_name=name)
    yield name, command
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None and not found.hidden:
                yield from commands(found, f"{name} {each}")


def command_part(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    options = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = [[f"`{record[0]}`", record[1]] for record in options if record and "--help" not in record[0]]
    return "\n\n".join(
        filter(None, [f"## {name}", f"`{usage}`", cleandoc(command.help or ""), table(["option", "meaning"], rows) if rows else ""])
    )


def commands_page() -> str:
    from haitang.server.cli import main

    parts = [command_part(name, command) for name, command in commands(main, "haitang") if name != "haitang"]
    return page("Commands", "`./haitang NAME --help` says the same.", *parts)


def errors_page() -> str:
    from haitang.base import errors
    from haitang.base.declarations import checks, faults
    from haitang.base.text import english

    kinds = sorted(errors.registered.values(), key=lambda kind: kind.code)
    raised = table(
        ["code", "status", "sentence", "English"], [[f"`{k.code}`", k.status, k.sentence, english(k.sentence) or ""] for k in kinds]
    )
    found = [[f"`{f.code}`", f.message, f.hint, english(f.message) or ""] for f in sorted(faults.registered.values(), key=lambda f: f.code)]
    checked = [[f"`{c.code}`", cleandoc(c.function.__doc__ or "")] for c in sorted(checks.registered.values(), key=lambda c: c.code)]
    return page(
        "Errors",
        "Each error has a code that stays, a status, and a sentence in the reader's language; `{name}` is filled in.",
        "## What the platform answers",
        raised,
        "## What `haitang check` finds in any declaration",
        table(["code", "message", "hint", "English"], found),
        "## What rooms check of their kinds",
        table(["code", "what must hold"], checked),
    )


def topics() -> dict[str, list[str]]:
    """Live topics and the modules that announce them."""
    found: dict[str, list[str]] = {}
    for file in sorted((TOP / "src" / "haitang").rglob("*.py")):
        for topic in re.findall(r"announce\(\s*\"([a-z_]+)\"", file.read_text("utf-8")):
            module = ".".join(file.relative_to(TOP / "src").with_suffix("").parts)
            if module not in found.setdefault(topic, []):
                found[topic].append(module)
    return dict(sorted(found.items()))


def run_events() -> Iterator[list[str]]:
    """Tagged msgspec structures of every room's `events.py`."""
    import msgspec

    from haitang.server.discovery import modules

    for module in modules("events"):
        for found in vars(module).values():
            tagged = isinstance(found, type) and issubclass(found, msgspec.Struct) and found.__struct_config__.tag
            if tagged and found.__module__ == module.__name__:
                hints = typing.get_type_hints(found)
                fields = ", ".join(f"`{name}`" for name in found.__struct_fields__ if name in hints)
                yield [f"`{found.__struct_config__.tag}`", module.__name__.removeprefix("haitang."), fields, cleandoc(found.__doc__ or "")]


def events_page() -> str:
    from haitang.base.actions import permissions
    from haitang.base.text import english

    acts = [[f"`{name}`", title, english(title) or ""] for name, title in sorted(permissions.items())]
    live = [[f"`{topic}`", ", ".join(f"`{name}`" for name in by)] for topic, by in topics().items()]
    return page(
        "Events",
        "What happens leaves three traces: an evidence record named after the action, an event in the log of a run, and a word to open pages.",
        "## Actions and permissions",
        "An action's name is its permission and the name of its evidence record; names that only permit reading leave none.",
        table(["name", "title", "English"], acts),
        "## Events of a run",
        table(["kind", "room", "fields", "meaning"], list(run_events())),
        "## Topics of `/live`",
        table(["topic", "announced by"], live),
    )


MAKERS: dict[str, Callable[[], str]] = {
    "kinds": kinds_page,
    "settings": settings_page,
    "commands": commands_page,
    "errors": errors_page,
    "events": events_page,
}


def main() -> int:
    import_everything()
    stale = []
    for name, make in MAKERS.items():
        file = PAGES / f"{name}.md"
        made = make()
        if not file.is_file() or file.read_text("utf-8") != made:
            stale.append(file.name)
            if "--check" not in sys.argv:
                PAGES.mkdir(parents=True, exist_ok=True)
                file.write_text(made, "utf-8")
    if "--check" in sys.argv and stale:
        print(f"not fresh: {', '.join(stale)}; run python tools/reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
