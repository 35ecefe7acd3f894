"""What tests of the Makefile share."""

import os


def outside_make() -> dict[str, str]:
    """The environment without what `make test`, or `make test PY=…`, under which these tests
    run, hands down.
    """
    inherited = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PY", "TESTS", "WORKERS", "ALL")
    return {name: value for name, value in os.environ.items() if name not in inherited}
