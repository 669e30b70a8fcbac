"""Acknowledged is stored, exactly once."""

import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from haitang.base.ids import new_id
from haitang.hub.data.lake import compact, connection, durable, offsets, schema
from haitang.hub.data.lake.canonical import canonical, observation_of, set_aside_of
from haitang.hub.data.lake.columns import key_of
from haitang.hub.data.lake.offsets import Ranges
from haitang.hub.data.lake.writer import GAP, MOST_SPANS, Writer, spans
from haitang.support.infrastructure.stream.messages import decode, encode
from haitang.support.security.evidence import merkle
from tests.hub.data.fresh import DAY, HOUR, START, aside, batch, reading


def rows(lake: Any, table: str = "observations") -> list[dict[str, Any]]:
    cursor = lake.execute(f"select * from lake.{table} order by block, block_index")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def roots_hold(lake: Any) -> int:
    """Every block's root is that of its stored rows, in place; returns the number of blocks."""
    blocks = rows_of_blocks(lake)
    for id, table, count, root, arity in blocks:
        made = observation_of if table == "observations" else set_aside_of
        stored = [row for row in rows(lake, table) if row["block"] == id]
        assert [row["block_index"] for row in stored] == list(range(count))
        assert merkle.root([merkle.leaf_hash(canonical(made(row))) for row in stored], arity=arity).hex() == root
    return len(blocks)


def rows_of_blocks(lake: Any) -> list[tuple[int, str, int, str, int]]:
    return lake.execute("select id, table_name, rows, root, coalesce(arity, 2) from lake.blocks order by id").fetchall()


def test_a_row_reads_back_as_it_was_sent(lake: Any) -> None:
    sent = [
        reading(0.1 + 0.2, at=START),
        reading(None, at=START + HOUR, text="大风\0", quality="flag:D"),
        reading(None, at=START + 2 * HOUR, boolean=False, length=0),
        reading(-0.0, at=START + 2 * HOUR + 1, length=7),
        reading(None, at=START + 3 * HOUR, geometry='{"type":"Point","coordinates":[105.7,29.7]}'),
    ]
    Writer(lake, "s").write([(1, decode(encode(batch(*sent))))])
    assert [canonical(observation_of(row)) for row in rows(lake)] == [canonical(row) for row in sent]


def test_a_redelivered_message_is_skipped_and_an_older_one_that_comes_late_is_not(lake: Any) -> None:
    writer = Writer(lake, "s")
    first, second = batch(reading(1, at=START)), batch(reading(2, at=START + HOUR))
    writer.write([(2, second)])
    assert len(writer.write([(1, first), (2, second)]).observations) == 1
    again = Writer(lake, "s")
    assert again.write([(1, first), (2, second)]).observations == []
    assert again.seen.ranges == [(1, 2)]
    assert len(rows(lake)) == 2


def test_a_stream_made_anew_is_not_taken_for_the_old_one(lake: Any) -> None:
    Writer(lake, "old").write([(1, batch(reading(1)))])
    assert len(Writer(lake, "new").write([(1, batch(reading(2, at=START + HOUR)))]).observations) == 1


@pytest.mark.timeout(120)
@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_however_far_apart_the_times_of_a_batch_lie_it_finds_what_the_lake_holds_of_it(lake: Any, data: st.DataObject) -> None:
    near, far = st.integers(0, 3 * GAP), st.sampled_from([0, HOUR, 5 * HOUR, DAY - 1, DAY, 3 * DAY, 400 * DAY])
    moment = st.builds(lambda near, far: START + far + near, near, far)
    node = str(new_id())  # of this example alone
    once = st.builds(lambda at, ref: reading(at=at, source_ref=ref, node=node), moment, st.sampled_from("xy"))
    stored, fresh = data.draw(st.lists(once, max_size=12)), data.draw(st.lists(once, max_size=12))
    writer = Writer(lake, node)
    writer.write([(1, batch(*stored))])
    sent = [*fresh, *data.draw(st.lists(st.sampled_from(stored), max_size=12) if stored else st.just([]))]
    known, sent_once = set(map(key_of, stored)), set(map(key_of, sent))
    assert {key_of(row) for row in writer.write([(2, batch(*sent))]).observations} == sent_once - known


@given(st.lists(st.integers(0, 50 * GAP), min_size=1, max_size=40))
def test_a_span_ends_at_a_gap_and_none_is_left_out(times: list[int]) -> None:
    found = spans(times)
    assert [time for span in found for time in span] == sorted(set(times))
    assert len(found) <= MOST_SPANS
    apart = [after[0] - before[-1] for before, after in pairwise(found)]
    within = [later - earlier for span in found for earlier, later in pairwise(span)]
    assert min(apart, default=GAP + 1) > GAP
    assert max(within, default=0) <= GAP or (len(found) == MOST_SPANS and max(within) <= min(apart))


def test_the_same_observation_is_stored_once_in_a_batch_and_across_batches(lake: Any) -> None:
    writer = Writer(lake, "s")
    written = writer.write([(1, batch(reading(1), reading(1))), (2, batch(reading(1)))])
    assert (len(written.observations), written.duplicates) == (1, 2)
    assert writer.write([(3, batch(reading(1), reading(1, source_ref="other"), reading(1, thing="s2")))]).duplicates == 1
    assert len(rows(lake)) == 3


def test_a_late_row_lands_in_the_partition_of_its_day(lake: Any) -> None:
    writer = Writer(lake, "s")
    writer.write([(1, batch(reading(at=START + 40 * DAY)))])
    writer.write([(2, batch(reading(at=START - HOUR)))])
    assert [str(row["day"]) for row in rows(lake)] == ["2026-04-10", "2026-02-28"]
    assert writer.write([(3, batch(reading(at=START - HOUR)))]).duplicates == 1


def test_what_cannot_be_stored_is_set_aside_and_holds_up_nothing(lake: Any) -> None:
    bad = [
        reading(float("nan")),
        reading(at=2**63),
        reading(at=-1),
        reading(at=START, period_end=START - 1),
        reading(received_at=2**63 - 1),
    ]
    written = Writer(lake, "s").write([(1, decode(encode(batch(*bad, aside=(aside("#\0#"),)))))])
    assert (len(written.observations), written.set_aside) == (1, 5)
    assert [row["reason"] for row in rows(lake, "set_aside")] == ["unknown_factor", "not_a_number", "bad_time", "bad_time", "bad_time"]
    assert rows(lake, "set_aside")[0]["raw"] == "#\0#"


def test_roots_recompute_from_stored_rows_after_compaction(lake: Any) -> None:
    writer = Writer(lake, "s")
    for hour in range(30):
        sent = [reading(hour / 7, at=START + hour * HOUR, thing=f"s{n}") for n in range(12)]
        writer.write([(hour + 1, batch(*sent, aside=(aside(at=START + hour * HOUR),)))])
    before = rows(lake)
    assert compact.merge(lake) > 20
    assert compact.tidy(lake, keep=timedelta(0)) > 20
    assert rows(lake) == before
    assert roots_hold(lake) == 60
    assert lake.execute("select count(*) from ducklake_list_files('lake', 'observations')").fetchone()[0] == 2
    assert offsets.load(lake, "writer:s").ranges == [(1, 30)]
    assert lake.execute("select count(*) from lake.offsets").fetchone()[0] == 1


def test_files_that_another_session_merges_meanwhile_stop_nobody(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, other, before_commit = Writer(lake, "s"), connection.writer(), durable.sync
    for number in range(1, 4):
        writer.write([(number, batch(*(reading(n, at=START + n * HOUR + number) for n in range(12))))])

    def other_first(since: float, *tables: str) -> None:
        monkeypatch.setattr(durable, "sync", before_commit)
        assert compact.merge(other) > 0
        before_commit(since, *tables)

    monkeypatch.setattr(durable, "sync", other_first)
    assert compact.merge_unless_merged(lake) == 0
    assert len(writer.write([(4, batch(reading(1.0, at=START + DAY)))]).observations) == 1
    assert len(rows(lake)) == 37
    other.close()


def test_rows_of_several_releases_are_in_blocks_of_their_own(lake: Any) -> None:
    Writer(lake, "s").write([(1, batch(reading(1), release="a")), (2, batch(reading(1, thing="s2"), release="b"))])
    assert lake.execute("select id, release from lake.blocks order by id").fetchall() == [(1, "a"), (2, "b")]
    assert roots_hold(lake) == 2


def synced_and_written(lake: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[set[str], set[str]]:
    synced: list[str] = []
    monkeypatch.setattr(durable.disk, "sync", lambda path: synced.append(str(path)))
    Writer(lake, "s").write([(1, batch(*[reading(n, at=START + n * 60 * 1_000_000) for n in range(50)]))])
    return set(synced), {row[0] for row in lake.execute("select data_file from ducklake_list_files('lake', 'observations')").fetchall()}


def test_files_and_their_folders_are_on_disk_before_the_commit(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    synced, files = synced_and_written(lake, monkeypatch)
    assert files
    assert files <= synced
    assert {file.rpartition("/")[0] for file in files} <= synced


def test_files_are_on_disk_before_the_commit_though_the_clock_is_set_back_meanwhile(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = iter([3600 * 10**9])
    monkeypatch.setattr(durable.time, "time_ns", lambda real=time.time_ns: real() + next(ahead, 0))
    synced, files = synced_and_written(lake, monkeypatch)
    assert files
    assert files <= synced


def test_a_failed_sync_leaves_nothing_and_the_message_can_come_again(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: object) -> None:
        raise OSError(28, "no space left")

    message = (1, batch(*[reading(n, at=START + n * HOUR) for n in range(50)]))
    with monkeypatch.context() as patched:
        patched.setattr(durable.disk, "sync", full)
        with pytest.raises(OSError, match="space"):
            Writer(lake, "s").write([message])
    assert rows(lake) == []
    assert len(Writer(lake, "s").write([message]).observations) == 50


def test_ranges_join_whatever_the_order() -> None:
    done = Ranges([(5, 7)])
    done.add([9, 1, 8])
    assert done.ranges == [(1, 1), (5, 9)]
    assert 6 in done
    assert 4 not in done
    assert done.last == 9


def test_files_are_sorted_by_property_first_in_a_lake_of_an_earlier_release_too(lake: Any) -> None:
    lake.execute("alter table lake.observations set sorted by (thing asc, period_start asc)")
    schema.ensure(lake)
    snapshots = lake.execute("select count(*) from ducklake_snapshots('lake')").fetchone()
    schema.ensure(lake)
    assert lake.execute("select count(*) from ducklake_snapshots('lake')").fetchone() == snapshots, "once"
    sent = [
        reading(1, thing=thing, property=name, at=START + h * HOUR) for h in range(8) for thing in ("s2", "s1") for name in ("pm2_5", "o3")
    ]
    Writer(lake, "s").write([(1, batch(*sent))])
    stored = lake.execute("select property, thing, period_start from lake.observations order by file_row_number").fetchall()
    assert stored == sorted(stored)


def test_a_lake_of_an_earlier_release_learns_of_other_trees_and_keeps_its_own(lake: Any) -> None:
    lake.execute("alter table lake.blocks drop column arity")
    lake.execute("insert into lake.blocks values (7, 'observations', 1, '', 0, 0, now(), '')")
    schema.ensure(lake)
    assert lake.execute("select id, arity from lake.blocks").fetchall() == [(7, None)]
    schema.ensure(lake)
