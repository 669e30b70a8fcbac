"""The live feed's buffer: what a page that comes back gets."""

from haitang.server.front.live import KEPT, Event, Live, _read
from haitang.server.front.passing import Control


def feed(count: int) -> Live:
    live = Live("", Control.__new__(Control))
    for number in range(count):
        live._tell("case", f'{{"n": {number}}}')
    return live


def test_a_page_that_comes_back_gets_what_it_missed() -> None:
    live = feed(5)
    assert [event.data for event in live._since(live._kept[2].id)] == ['{"n": 3}', '{"n": 4}']


def test_a_page_that_was_away_too_long_is_told_so() -> None:
    live = feed(KEPT + 10)
    assert [event.topic for event in live._since(live._kept[0].id - 5)] == ["missed"]


def test_an_id_of_the_front_before_is_told_as_missed() -> None:
    assert [event.topic for event in feed(0)._since(1)] == ["missed"]


def test_a_new_page_gets_no_past() -> None:
    assert feed(5)._since(None) == []


def test_an_event_reads_as_server_sent_events_do() -> None:
    assert Event(7, "alarm", '{"id":"a"}').wire() == 'id: 7\nevent: alarm\ndata: {"id":"a"}\n\n'


def test_an_announcement_that_nobody_can_read_makes_pages_load_afresh() -> None:
    assert _read("not json") == ("missed", "{}")
    assert _read('{"topic": "case", "payload": {"id": "一"}}') == ("case", '{"id": "一"}')


def test_an_id_that_was_not_given_yet_is_told_as_missed() -> None:
    """The clock was set back, and the front started anew: its ids begin below those of the front before."""
    live = feed(3)
    assert [event.topic for event in live._since(live._kept[-1].id + 1)] == ["missed"]
    assert live._since(live._kept[-1].id) == []
