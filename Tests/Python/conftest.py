"""What the tests of the running service share. They need the program: $HONE, else `hone` on the PATH."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Clients" / "python"))

SHARED = ROOT.parent / "shared"
SIMLM = SHARED / "tools" / "simlm.py"
GSM8K = SHARED / "data" / "gsm8k" / "train.jsonl"

# Processes that a test starts feel Ctrl-C, also where these tests run in the background of a script.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def executable():
    """The program under test; without it these tests fail, they do not skip."""
    program = os.environ.get("HONE") or shutil.which("hone")
    if not program or not os.access(program, os.X_OK):
        pytest.fail("These tests drive the service: name the program in $HONE, or put hone on the PATH.")
    return program


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    """The variables and the user's settings that the service reads do not leak into a test."""
    for name in ("HONE_HOME", "HONE_LM", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OLLAMA_HOST", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def start(executable):
    """Starts clients with services of their own, and ends them."""
    import hone

    clients = []

    def start(home, **options):
        client = hone.Client.start(home, executable=executable, **options)
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def client(start, tmp_path):
    return start(tmp_path / "home")


@pytest.fixture
def shared_services(tmp_path_factory, monkeypatch):
    """A place for the services that --attach starts; ends them."""
    directory = tmp_path_factory.mktemp("r")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory
    for lock in (directory / "hone").glob("*.sock.lock"):
        try:
            os.kill(int(lock.read_text()), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            pass


@pytest.fixture
def service_socket(executable, tmp_path_factory):
    """The path of a socket at which a service listens."""
    directory = tmp_path_factory.mktemp("s")
    path = directory / "s"
    log = open(directory / "log", "wb")
    process = subprocess.Popen(
        [executable, "serve", "--socket", str(path), "--home", str(directory / "home")],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
    try:
        wait_until(lambda: path.exists() or process.poll() is not None)
        assert process.poll() is None, (directory / "log").read_text()
        yield str(path)
        process.terminate()
        written, _ = process.communicate(timeout=20)
        assert written == b"", "a socket service wrote to its standard output"
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        log.close()


@pytest.fixture
def endpoint():
    """Starts simulated endpoints with the arguments given; gives (base URL, statistics)."""
    import json
    import urllib.request

    processes = []

    def begin(*arguments):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, str(SIMLM), "--port", str(port), *map(str, arguments)], stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline(), "the simulated endpoint did not start"

        def statistics():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=10) as reply:
                return json.load(reply)

        return f"http://127.0.0.1:{port}/v1", statistics

    yield begin
    for process in processes:
        process.terminate()
        process.wait()
        process.stdout.close()


def wait_until(condition, seconds=60):
    """Waits until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)
