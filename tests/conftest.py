"""What test files share."""

from types import SimpleNamespace

import pytest
from small_training import images, morphs, small_heads  # noqa: F401
from smoke_run import Result, finished, start_smoke


@pytest.fixture(scope="session")
def smoke_runs(request, tmp_path_factory) -> SimpleNamespace:
    """Two runs of the smoke study at the same time, a thread each; the second only where a test wants both."""
    places = {"first": tmp_path_factory.mktemp("runs"), "second": tmp_path_factory.mktemp("again")}
    started = {"first": start_smoke(places["first"], OMP_NUM_THREADS="1")}
    if any("second_smoke" in getattr(item, "fixturenames", ()) for item in request.session.items):
        started["second"] = start_smoke(places["second"], OMP_NUM_THREADS="1")
    yield SimpleNamespace(started=started, places=places)
    for process in started.values():
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def smoke(smoke_runs) -> Result:
    """The smoke study, run once for all tests; whoever changes its folder works on a copy."""
    return finished(smoke_runs.started["first"], smoke_runs.places["first"])


@pytest.fixture(scope="session")
def second_smoke(smoke_runs) -> Result:
    """The same once more."""
    return finished(smoke_runs.started["second"], smoke_runs.places["second"])
