"""What test files share."""

import os
from contextlib import suppress
from pathlib import Path

import hypothesis
import pytest
from small_training import images, morphs, small_heads  # noqa: F401
from smoke_run import Result, finished, start_smoke, stop

# the same cases every time, so that a failure is the change's; HYPOTHESIS_PROFILE=search looks for
# new ones
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("search")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
WORKER = "PYTEST_XDIST_WORKER" in os.environ  # one of several processes that share the tests


def uses_smoke(item) -> bool:
    return not {"smoke", "undisturbed"}.isdisjoint(getattr(item, "fixturenames", ()))


def place(item) -> int:
    """The longest file first, and those that look at a finished run last: it goes on while the
    others are tested.
    """
    return (
        0
        if item.path.stem == "test_interruptions"
        else 2
        if item.path in item.session.waiting
        else 1
    )


def pytest_collection_modifyitems(session, items):
    session.waiting = {item.path for item in items if uses_smoke(item)}
    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def smoke_run(request, tmp_path_factory) -> Path:
    """A run of the smoke study from the first test on, where a test wants it, and once for all
    workers.

    Where SMOKE_RUN names a folder, somebody else's run goes on there (``.ci/run``: a fresh
    clone's).
    """
    base, given = tmp_path_factory.getbasetemp(), os.environ.get("SMOKE_RUN")
    folder, process = Path(given) if given else (base.parent if WORKER else base) / "smoke", None
    if not given and any(map(uses_smoke, request.session.items)):
        with suppress(FileExistsError):  # another worker has started it
            folder.mkdir()
            process = start_smoke(folder)
    yield folder
    if process:
        if WORKER and not request.session.shouldstop:
            process.wait()  # the other workers may still want it
        stop(process)


@pytest.fixture(scope="session")
def smoke(smoke_run) -> Result:
    """The smoke study, run once for all tests; whoever changes its folder works on a copy."""
    return finished(smoke_run)
