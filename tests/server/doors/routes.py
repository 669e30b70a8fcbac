"""Every address that control answers, with a real object behind each of its parameters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """`pattern` as Django has it, its parameters' converters left out: `cases/<number>/moves`."""

    pattern: str

    @property
    def parts(self) -> list[str]:
        return re.split(r"<[^>]+>", self.pattern)

    @property
    def has_parameters(self) -> bool:
        return len(self.parts) > 1

    def sampled(self) -> list[str]:
        """What names each parameter's sample: the text before it, earlier parameters as `*`."""
        return ["*".join(self.parts[: n + 1]) for n in range(len(self.parts) - 1)]

    def address(self, samples: dict[str, str]) -> str:
        """The address with a sample for each parameter; raises KeyError with what lacks one."""
        return "/" + "".join(part + samples[key] for part, key in zip(self.parts, self.sampled(), strict=False)) + self.parts[-1]

    def odd_address(self, value: str) -> str:
        return "/" + "".join(part + value for part, _ in pairwise(self.parts)) + self.parts[-1]


def routes() -> list[Route]:
    """Every route of the resolver, pages and API."""
    found = {Route(re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", pattern)) for pattern in _walk(get_resolver().url_patterns, "")}
    return sorted(found, key=lambda route: route.pattern)


def _walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for each in patterns:
        here = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, here)
        else:
            yield here
