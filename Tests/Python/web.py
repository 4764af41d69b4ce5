"""A web server over a home directory, for tests."""

import contextlib
import json
import subprocess
import urllib.error
import urllib.request


@contextlib.contextmanager
def serving(executable, home, *arguments):
    """`hone ui` on a free port; gives its URL."""
    process = subprocess.Popen(
        [executable, "ui", "--port", "0", "--home", str(home), *arguments], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert "http://" in line, f"no address but {line!r}"
        yield line.split(" at ", 1)[1].strip()
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def ask(url, body=None, method=None, headers={}):
    """One request; gives (status, headers, body), the body decoded where it is JSON."""
    data, headers = body, dict(headers)
    if isinstance(body, dict):
        data = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        reply = urllib.request.build_opener(NoRedirect).open(request, timeout=30)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        content = reply.read()
        if reply.headers.get_content_type() == "application/json":
            content = json.loads(content)
        return reply.status, reply.headers, content


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None
