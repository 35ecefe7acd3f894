"""What test files share."""

import os
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest
from small_training import images, morphs, small_heads  # noqa: F401
from smoke_run import Result, finished, start_smoke, stop

# the same cases every time, so that a failure is the change's; HYPOTHESIS_PROFILE=search looks for new ones
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("search")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
WORKER = "PYTEST_XDIST_WORKER" in os.environ  # one of several processes that share the tests
RUNS = {"smoke": "first", "second_smoke": "second"}


def uses(item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items):
    """Files that look at a finished run come last: it goes on while the others are tested."""
    waiting = {item.path for item in items if any(uses(item, fixture) for fixture in RUNS)}
    items.sort(key=lambda item: item.path in waiting)


@pytest.fixture(scope="session", autouse=True)
def smoke_runs(request, tmp_path_factory) -> Path:
    """Two runs of the smoke study from the first test on; each only where a test wants it, and once for all workers."""
    shared = tmp_path_factory.getbasetemp().parent if WORKER else tmp_path_factory.getbasetemp()
    started = []
    for fixture, name in RUNS.items():
        if any(uses(item, fixture) for item in request.session.items):
            with suppress(FileExistsError):  # another worker has started it
                (shared / name).mkdir()
                started.append(start_smoke(shared / name))
    yield shared
    for process in started:
        if WORKER and not request.session.shouldstop:
            process.wait()  # the other workers may still want it
        stop(process)


@pytest.fixture(scope="session")
def smoke(smoke_runs) -> Result:
    """The smoke study, run once for all tests; whoever changes its folder works on a copy."""
    return finished(smoke_runs / "first")


@pytest.fixture(scope="session")
def second_smoke(smoke_runs) -> Result:
    """The same once more."""
    return finished(smoke_runs / "second")
