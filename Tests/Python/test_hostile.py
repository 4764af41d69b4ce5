"""Whatever comes in, the service answers or closes, does not grow, and serves the others."""

import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time

import pytest

from conftest import wait_until

PING = {"jsonrpc": "2.0", "id": "ping", "method": "listExperiments"}
COUNT = 10_000


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


@pytest.fixture
def server(executable, tmp_path):
    """A service at a socket: (path, process)."""
    path = tmp_path / "d" / "s"
    log = open(tmp_path / "log", "wb")
    process = subprocess.Popen(
        [executable, "serve", "--socket", str(path), "--home", str(tmp_path / "home"), "--max-message", "1048576"],
        stdin=subprocess.DEVNULL, stderr=log)
    wait_until(lambda: path.exists() or process.poll() is not None)
    yield str(path), process
    process.kill()
    process.wait()
    log.close()


def connect(path, timeout=20):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(timeout)
    peer.connect(path)
    return peer


def headed(body):
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def lined(body):
    return body.replace(b"\n", b" ") + b"\n"


def ask(path, frame=lined):
    """A good request on a connection of its own, and its answer."""
    with connect(path) as peer:
        peer.sendall(frame(json.dumps(PING).encode()))
        peer.shutdown(socket.SHUT_WR)
        data = b"".join(iter(lambda: peer.recv(65536), b""))
    return json.loads(data.partition(b"\r\n\r\n")[2] if frame is headed else data)


def hostile_body(chance):
    """The body of a message that is wrong, or odd, in some way; never one that does work."""
    good = json.dumps({"jsonrpc": "2.0", "id": chance.randrange(1000), "method": chance.choice(["nothing", "getRun", "$/x"]),
                       "params": {"runId": "x" * chance.randrange(30)}}).encode()
    kind = chance.randrange(16)
    if kind == 0:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200)))
    if kind == 1:
        return good[:chance.randrange(1, len(good))]
    if kind == 2:
        place = chance.randrange(len(good))
        return good[:place] + bytes([chance.randrange(256)]) + good[place + 1:]
    if kind == 3:
        return b"[" * chance.choice([5, 127, 129, 5000, 60_000])
    if kind == 4:
        depth = chance.choice([100, 130, 20_000])
        return b'{"jsonrpc":"2.0","id":1,"method":"getRun","params":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    if kind == 5:
        return b'{"jsonrpc":"2.0","id":1,"method":"getRun","params":{"runId":"' + bytes([0xFF, 0xC0, 0xED, 0xA0]) + b'"}}'
    if kind == 6:
        return b'{"jsonrpc":"2.0","id":"\\ud800","method":"getRun","params":{"runId":"\\udfff\\ud800"}}'
    if kind == 7:
        number = chance.choice([b"1e999999999", b"9" * 5000, b"-0.0e-0", b"1" + b"0" * 400, b"NaN", b"Infinity", b"0x10", b"01"])
        return b'{"jsonrpc":"2.0","id":%b,"method":"listRuns","params":{"maxResults":%b}}' % (number, number)
    if kind == 8:
        return json.dumps([chance.choice([1, None, {}, [], "x", {"jsonrpc": "2.0"}]) for _ in range(chance.randrange(0, 1200))]).encode()
    if kind == 9:
        return json.dumps({"jsonrpc": chance.choice(["1.0", 2, None]), "id": chance.choice([[], {}, True, 1]), "method": chance.choice([1, None, "", "getRun"])}).encode()
    if kind == 10:
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "m" * chance.randrange(1, 5000)}).encode()
    if kind == 11:
        return json.dumps({"jsonrpc": "2.0", "id": "i" * chance.randrange(1000, 1100), "method": "getRun"}).encode()
    if kind == 12:
        return json.dumps({"jsonrpc": "2.0", "id": chance.randrange(2_000_000_000), chance.choice(["result", "error"]): chance.choice([1, None, {}])}).encode()
    if kind == 13:
        return json.dumps({"jsonrpc": "2.0", "method": chance.choice(["$/cancelRequest", "exit2", "$/progress"]), "params": chance.choice([{"id": 3}, [1], 7])}).encode()
    if kind == 14:
        return b"\xef\xbb\xbf" + good if chance.random() < 0.5 else good.decode().encode("utf-16")
    return b'{"a":1,' * chance.randrange(1, 50) + good


def hostile_frame(chance, frame):
    body = hostile_body(chance)
    if frame is lined:
        return body.replace(b"\n", b" ") + b"\n", False
    kind = chance.randrange(12)
    if kind == 0:
        return b"content-length:%d\nX-Y: z\n\n%b" % (len(body), body), False
    if kind == 1:
        wrong = chance.choice([b"-5", b"abc", b"", b"9" * 30, b"4611686018427387904", b"1 2", b"0x10"])
        return b"Content-Length: " + wrong + b"\r\n\r\n" + body, True
    if kind == 2:
        return b"Content-Type: x\r\n\r\n" + body, True
    if kind == 3:
        return b"X" * chance.choice([100, 9000]) + b"\r\n\r\n" + body, True
    if kind == 4:
        return b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n%b" % (len(body), len(body) + 1, body), True
    if kind == 5:
        # Too long by a little or a lot; the rest never comes.
        return b"Content-Length: %d\r\n\r\n%b" % (chance.choice([len(body) + 1, 1 << 21, 1 << 40]), body), True
    if kind == 6:
        return b"Content-Length: %d\r\n\r\n%b" % (max(0, len(body) - 3), body), True
    if kind == 7:
        return b"Content-Length: %d\r\nContent-Type: a; charset=utf-16\r\n\r\n%b" % (len(body), body), False
    return headed(body), False


@pytest.mark.parametrize("frame", [lined, headed], ids=["lines", "headers"])
def test_ten_thousand_hostile_frames(server, frame):
    path, process = server
    chance = random.Random(4711)
    ask(path, frame)
    before = None
    peer, answered = None, 0

    def drain(peer):
        nonlocal answered
        while True:
            try:
                data = peer.recv(1 << 20)
            except (ConnectionError, TimeoutError):
                return
            if not data:
                return
            answered += len(data)

    def close(peer, reader):
        try:
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        reader.join(20)
        assert not reader.is_alive(), "a connection is neither answered nor closed"
        peer.close()

    reader = None
    for number in range(COUNT):
        if peer is None:
            peer = connect(path, timeout=15)
            reader = threading.Thread(target=drain, args=(peer,), daemon=True)
            reader.start()
        data, is_fatal = hostile_frame(chance, frame)
        try:
            peer.sendall(data)
        except OSError:
            is_fatal = True
        if is_fatal or number % 500 == 499:
            close(peer, reader)
            peer = None
        if number % 1000 == 999:
            assert process.poll() is None
            assert "result" in ask(path, frame)
            before = before or resident(process.pid)
    if peer is not None:
        close(peer, reader)
    assert answered > 100_000
    assert "result" in ask(path, frame)
    assert resident(process.pid) < before + (48 << 20), "the service has grown"


def test_a_thousand_connections_that_say_nothing_or_half(server):
    path, process = server
    ask(path)
    peers = []
    try:
        for number in range(600):
            peer = connect(path)
            if number % 3 == 1:
                peer.sendall(b'{"jsonrpc":"2.0","id":1,"meth')
            elif number % 3 == 2:
                peer.sendall(b"Content-Length: 1000000\r\n\r\n{")
            peers.append(peer)
        started = time.monotonic()
        assert "result" in ask(path)
        assert time.monotonic() - started < 5
        assert resident(process.pid) < 400 << 20
    finally:
        for peer in peers:
            peer.close()
    assert "result" in ask(path)


def test_more_connections_than_descriptors(executable, tmp_path):
    """Those that find no room wait; nobody is lost, and the store has descriptors left."""
    path = tmp_path / "s"
    wrapper = tmp_path / "limited"
    wrapper.write_text(f'#!/bin/bash\nulimit -n 96\nexec "{executable}" "$@"\n')
    wrapper.chmod(0o755)
    process = subprocess.Popen(
        [str(wrapper), "serve", "--socket", str(path), "--home", str(tmp_path / "home")], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: path.exists() or process.poll() is not None)
        idle = [connect(str(path)) for _ in range(150)]
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask(str(path))))
        thread.start()
        idle[0].sendall(lined(json.dumps(PING).encode()))
        assert "result" in json.loads(idle[0].recv(65536))
        for peer in idle:
            peer.close()
        thread.join(20)
        assert answers and "result" in answers[0]
    finally:
        process.kill()
        process.wait()


def test_a_reader_that_stops_is_bounded_and_the_others_are_served(server):
    path, process = server
    before = resident(process.pid)
    request = lined(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}).encode()) * 50
    with connect(path) as stopped:
        stopped.setblocking(False)
        end, sent = time.monotonic() + 3, 0
        while time.monotonic() < end:
            try:
                sent += stopped.send(request)
            except BlockingIOError:
                time.sleep(0.05)
        started = time.monotonic()
        assert "result" in ask(path)
        assert time.monotonic() - started < 2
        assert resident(process.pid) - before < 128 << 20
    assert "result" in ask(path)


def test_thousands_of_pending_requests_are_all_answered(server):
    path, _ = server
    with connect(path) as peer:
        text = b"".join(lined(json.dumps({"jsonrpc": "2.0", "id": n, "method": "listExperiments"}).encode()) for n in range(5000))
        writer = threading.Thread(target=lambda: (peer.sendall(text), peer.shutdown(socket.SHUT_WR)))
        writer.start()
        data = b"".join(iter(lambda: peer.recv(1 << 20), b""))
        writer.join()
    ids = [json.loads(line)["id"] for line in data.splitlines()]
    assert sorted(ids) == list(range(5000))


def test_the_socket_is_the_users_own(server, executable, tmp_path):
    path, process = server
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    second = subprocess.run(
        [executable, "serve", "--socket", path, "--home", str(tmp_path / "other")], capture_output=True, text=True, timeout=20)
    assert second.returncode != 0 and str(process.pid) in second.stderr
    assert "result" in ask(path)
    process.kill()
    process.wait()
    third = subprocess.Popen(
        [executable, "serve", "--socket", path, "--home", str(tmp_path / "home")], stderr=subprocess.DEVNULL)
    try:
        def answers():
            try:
                return "result" in ask(path)
            except (OSError, ValueError):
                return False
        wait_until(answers)
    finally:
        third.kill()
        third.wait()


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv") or not os.path.exists("/usr/bin/python3"),
    reason="needs root, setpriv and a Python for all, to be another user")
def test_another_user_is_refused(executable, tmp_path):
    import tempfile

    directory = tempfile.mkdtemp()
    path = os.path.join(directory, "s")
    process = subprocess.Popen(
        [executable, "serve", "--socket", path, "--home", str(tmp_path / "home")], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: os.path.exists(path))
        # Even where the modes are opened by mistake, the kernel says who it is.
        os.chmod(directory, 0o755)
        os.chmod(path, 0o666)
        script = ("import socket;s=socket.socket(socket.AF_UNIX);s.connect(%r);"
                  "s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"listRuns\"}\\n');print(s.recv(100))" % path)
        other = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", script],
            capture_output=True, text=True, timeout=20, cwd="/")
        assert "result" not in other.stdout
        assert "result" in ask(path)
    finally:
        process.kill()
        _, log = process.communicate()
        shutil.rmtree(directory)
    assert b"another user" in log


def test_a_costly_pattern_holds_up_nobody_and_can_be_cancelled(server):
    from wire import Peer, Refused

    reply = f"[[ ## answer ## ]]\n{'a' * 199_000}"
    peer = Peer.at(server[0], handlers={"languageModel/complete": lambda params: reply})
    other = Peer.at(server[0])
    work = peer.ask("evaluate", {
        "program": "q -> answer", "devset": [{"q": f"x{i}", "answer": "y"} for i in range(4)], "lm": {"client": "m"},
        "metric": {"name": "regex", "pattern": "([a-z]{0,30}){0,30}b"}, "concurrency": 4})
    for _ in range(20):
        other.call("listExperiments", {}, timeout=20)
        time.sleep(0.05)
    assert not work.done()
    peer.cancel(work)
    try:
        assert work.result(timeout=20)["status"] != "FINISHED"
    except Refused:
        pass
    peer.close()
    other.close()
