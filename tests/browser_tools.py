"""A headless Chromium for the browser tests; without one they are skipped with a message."""

import shutil
from contextlib import contextmanager

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str:
    """The path of an installed Chromium or Chrome; skips the test where there is none."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = [
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ]
    if not found:
        pytest.skip(
            "no browser: install Debian's chromium, or Google Chrome, to run the browser tests"
        )
    return found[0]


@contextmanager
def chromium(**context):
    """A browser context; ``context`` goes to Playwright's ``new_context``."""
    from playwright.sync_api import sync_playwright

    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        try:
            yield browser.new_context(viewport={"width": 1280, "height": 1000}, **context)
        finally:
            browser.close()
