"""What test files share."""

import pytest
from small_training import images, morphs, small_heads  # noqa: F401
from smoke_run import Result, run_smoke


@pytest.fixture(scope="session")
def smoke(tmp_path_factory) -> Result:
    """The smoke study, run once for all tests; whoever changes its folder works on a copy."""
    return run_smoke(tmp_path_factory.mktemp("runs"))
