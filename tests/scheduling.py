"""Which tests run on which worker of pytest-xdist, and in which order.

A file stays on one worker, since what it starts it starts once; all files of the browser do, since they share a district. What may take longest begins first: a long file
that begins last would keep one worker busy while the others have nothing left to do.
"""

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/browser/",)
USUAL = 120.0  # seconds: the timeout of a test that names none


class ByFile(LoadScopeScheduling):
    """Files, or folders that stay together, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """What is not divided among workers."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::", 1)[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    config.option.loadscopereorder = False  # by number of tests, which says little of how long they take
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has the longest timeouts first: those are known to take long. Then what has most tests."""
    tests = Counter(scope(item.nodeid) for item in items)
    longest: dict[str, float] = {}
    for item in items:
        longest[scope(item.nodeid)] = max(longest.get(scope(item.nodeid), 0.0), _timeout(item))
    items.sort(key=lambda item: (-longest[scope(item.nodeid)], -tests[scope(item.nodeid)], scope(item.nodeid)))


def _timeout(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else USUAL
