"""A browser on the page of a running `hone ui`."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def serving(executable, home):
    """`hone ui` over a store; gives its address."""
    process = subprocess.Popen(
        [executable, "ui", "--port", "0", "--home", str(home)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline()
        assert "http://" in line, f"hone ui said {line!r}"
        yield line.split()[-1].rstrip("/")
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@contextmanager
def chromium():
    """Chromium, as the system has it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright, and install chromium")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("There is no chromium on the PATH.")
    # Its sandbox needs rights that root in a container has not.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """One visitor's tab, and everything that went wrong in it."""

    def __init__(self, browser, address, width=1440, height=900, scheme="light"):
        self.address = address
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.faults = []
        self.requests = []
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))")

    def open(self, place=""):
        """Goes to an address of the page such as `runs/ID`, and waits until it shows what it has."""
        self.page.goto(f"{self.address}/#/{place}")
        self.page.reload()
        self.page.locator("main h1, main .problem").first.wait_for()
        self.page.wait_for_function("() => !document.querySelector('main .loading')")
        return self.page

    def close(self):
        """Ends the visit: nothing went wrong, and nothing was asked of anybody else."""
        self.context.close()
        assert self.faults == [], self.faults
        strangers = [url for url in self.requests if not url.startswith((self.address, "data:", "blob:"))]
        assert strangers == []
