"""A service ends soon when it is told to, whatever its clients do or leave undone, and answers before it goes."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest

from conftest import wait_until


@pytest.mark.parametrize("first, status", [("shutdown", 0), ("listRuns", 1)])
def test_exit_right_behind_a_request_leaves_its_answer(executable, tmp_path, first, status):
    lines = [{"jsonrpc": "2.0", "id": 1, "method": first}, {"jsonrpc": "2.0", "method": "exit"}]
    for _ in range(5):
        done = subprocess.run(
            [executable, "serve", "--home", str(tmp_path / "home")],
            input="".join(json.dumps(line) + "\n" for line in lines).encode(), capture_output=True, timeout=30)
        assert json.loads(done.stdout)["id"] == 1 and done.returncode == status, done


def test_a_service_ends_though_clients_do_not_read(executable, tmp_path, tmp_path_factory):
    path = tmp_path_factory.mktemp("s") / "s"
    service = subprocess.Popen(
        [executable, "serve", "--socket", str(path), "--home", str(tmp_path / "home")], stderr=subprocess.DEVNULL)
    try:
        wait_until(path.exists)
        clients = []
        for _ in range(5):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(path))
            client.setblocking(False)
            clients.append(client)
            try:
                for number in range(3000):
                    client.send(b'{"jsonrpc":"2.0","id":%d,"method":"listExperiments"}\n' % number)
            except BlockingIOError:
                pass
        time.sleep(1)
        start = time.monotonic()
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=30) == 0
        assert time.monotonic() - start < 10
    finally:
        service.kill()


def test_a_pretty_printed_request_is_refused_once(executable, tmp_path):
    pretty = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "listRuns", "params": {"maxResults": 1}}, indent=2)
    last = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "listRuns"})
    done = subprocess.run(
        [executable, "serve", "--home", str(tmp_path / "home")], input=f"{pretty}\n{last}\n".encode(),
        capture_output=True, timeout=30)
    refused, answer = [json.loads(line) for line in done.stdout.splitlines()]
    assert refused["error"]["code"] == -32700 and "one line" in refused["error"]["message"]
    assert answer["id"] == 2 and "result" in answer


@pytest.mark.parametrize("requests", [3, 400])
def test_the_end_of_input_ends_a_service_whose_output_nobody_reads(executable, tmp_path, requests):
    """Few requests are all read before the output is full; of many the rest is still in the pipe then."""
    service = subprocess.Popen(
        [executable, "serve", "--home", str(tmp_path / "home")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}).encode() + b"\n"
    try:
        service.stdin.write(line * requests)
        service.stdin.close()
        assert service.wait(timeout=60) == 0
    finally:
        service.kill()
        service.stdout.close()


def test_a_slow_reader_gets_everything(executable, tmp_path):
    service = subprocess.Popen(
        [executable, "serve", "--home", str(tmp_path / "home")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}).encode() + b"\n"
    service.stdin.write(line * 6)
    service.stdin.close()
    received = b""
    while piece := os.read(service.stdout.fileno(), 16_384):
        received += piece
        time.sleep(0.02)
    assert received.count(b"\n") == 6 and service.wait(timeout=30) == 0
    service.stdout.close()
