"""A web server over a home directory, for tests."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest


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


def ask_as_nobody(url, target, method="GET", headers={}, close_early=False):
    """One request by a process of another user; gives what came back, undecoded.

    Skips the test where processes of other users cannot be made. `close_early` takes the connection down before an answer
    can come."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a process of another user")
    address = urllib.parse.urlsplit(url)
    head = [f"{method} {target} HTTP/1.1", f"Host: {address.netloc}", "Connection: close"]
    request = "\r\n".join([*head, *(f"{name}: {value}" for name, value in headers.items()), "", ""])
    code = f"""
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
connection = socket.create_connection(({address.hostname!r}, {address.port}), timeout=20)
connection.sendall({request.encode()!r})
while not {close_early} and (part := connection.recv(65536)):
    sys.stdout.buffer.write(part)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None
