"""How soon the page shows one long trace: sends 30,000 spans to `hone ui`, opens them in chromium, prints milliseconds.

usage: page.py [SPANS]      needs the program ($HONE, else hone on the PATH), chromium and playwright
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests" / "Python"), str(ROOT / "Clients" / "python")]

from browser import Visit, chromium, serving  # noqa: E402
from page_store import send_large_trace  # noqa: E402


def main():
    spans = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    executable = os.environ.get("HONE") or shutil.which("hone") or sys.exit("Name the program in $HONE.")
    with tempfile.TemporaryDirectory() as home, serving(executable, home) as address, chromium() as browser:
        trace = send_large_trace(address, spans)
        for _ in range(5):
            visit = Visit(browser, address)
            page = visit.page
            start = time.monotonic()
            page.goto(f"{address}/#/traces/{trace}")
            page.locator(".span-row").first.wait_for()
            painted = time.monotonic()
            page.get_by_text(f"{spans:,} spans", exact=True).wait_for()
            print(f"{spans} spans: first paint {1000 * (painted - start):.0f} ms, all there {1000 * (time.monotonic() - start):.0f} ms")
            visit.close()


if __name__ == "__main__":
    main()
