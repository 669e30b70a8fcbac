"""The demonstration's resources have rows, all of them accepted and labelled."""

from haitang.hub.data.gather.models import Run
from haitang.server.demo.resources import fill_resources
from tests.hub.data.gather.conftest import Bench, bench  # noqa: F401  a fixture


def test_made_up_resources_get_their_samples_without_work_for_anybody(bench: Bench) -> None:  # noqa: F811
    for _ in range(2):  # safe to repeat
        fill_resources(wait=lambda run: bench.work())
    runs = {run.resource: run for run in Run.objects.all()}
    assert {"enterprise_permit", "outfall"} <= runs.keys()
    assert Run.objects.count() == len(runs)
    for run in runs.values():
        assert (run.state, run.quarantined, run.matter, run.synthetic) == ("done", 0, "", True), run.error
        assert run.accepted >= 12
