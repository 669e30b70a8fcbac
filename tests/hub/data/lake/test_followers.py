"""What follows the lake is called again soon after a stall, and rests where it takes long again and again."""

from types import SimpleNamespace

import pytest

from haitang.hub.data.lake import followers


def test_what_took_long_once_is_called_again_soon_and_what_takes_long_again_and_again_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    now, calls, takes = 0.0, list[float](), [5.0, 0.1, 5.0, 5.0, 0.1]

    def follow(connection: object, position: int) -> None:
        nonlocal now
        calls.append(now)
        now += takes[len(calls) - 1]

    monkeypatch.setattr(followers, "registered", {})
    monkeypatch.setattr(followers, "time", SimpleNamespace(monotonic=lambda: now))
    followers.register("slow", follow, every=3.0, share=0.1)
    while len(calls) < len(takes):
        followers.run(None, 1)
        now += 0.25
    rests = [after - before - took for before, after, took in zip(calls, calls[1:], takes, strict=False)]
    assert rests == [pytest.approx(seconds, abs=0.5) for seconds in (3, 3, 3, 50)]
