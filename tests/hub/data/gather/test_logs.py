"""Gathering says nothing of what stands in rows in any log."""

import logging

import pytest

from tests.hub.data.gather.conftest import Bench

PERSONAL = ("11010519491231002X", "13900000017", "王丽测试", "91350100M000100Y43")


def test_no_value_of_a_row_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    head = "编号,名称,统一社会信用代码,电话,面积\n"
    rows = "S001,王丽测试,91350100M000100Y43,13900000017,1\nS002,11010519491231002X,1,1390000001,x\n11010519491231002X,王丽测试,,13900000017,-1\n"
    run = bench.gather(head + rows)
    bench.gather(head + rows + '"王丽测试,13900000017', name="13900000017.csv")
    bench.gather(b"\xff\xfe\x00" + "王丽测试".encode("gb18030"))
    assert run.quarantined
    out, error = capfd.readouterr()
    said = caplog.text + out + error
    assert {value for value in PERSONAL if value in said} == set()
