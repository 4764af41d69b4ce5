"""The Python client by itself: names, framings, errors, and its page's example."""

import io
import json
import socket
import threading

import pytest

import hone
from hone.framing import HeaderFraming, LineFraming
from hone.names import camel, wire_params


@pytest.mark.parametrize("name, wire", [("run_name", "runName"), ("filter", "filter"), ("order_by", "orderBy"),
                                        ("traces_from_compile", "tracesFromCompile")])
def test_keywords_are_spelt_as_on_the_wire(name, wire):
    assert camel(name) == wire


def test_settings_and_data_keep_the_names_of_their_field():
    sent = wire_params({
        "autolog": {"traces_from_eval": False}, "prompt_model": {"model": "m", "max_tokens": 5}, "run_name": None,
        "optimizer": {"num_candidates": 3}, "trainset": [{"gold_reasoning": "x"}], "metric": {"some_option": 1}})
    assert sent == {
        "autolog": {"tracesFromEval": False}, "promptModel": {"model": "m", "maxTokens": 5},
        "optimizer": {"num_candidates": 3}, "trainset": [{"gold_reasoning": "x"}], "metric": {"some_option": 1}}


@pytest.mark.parametrize("framing", [HeaderFraming(), LineFraming()])
def test_what_a_framing_packs_it_reads_back(framing):
    bodies = ['{"a":"ü"}'.encode(), b"[]"]
    stream = io.BytesIO(b"".join(map(framing.pack, bodies)))
    assert [framing.read(stream) for _ in range(3)] == [*bodies, None]


@pytest.mark.parametrize("data", [b"hello\r\n\r\n", b"Content-Type: x\r\n\r\n", b"Content-Length: x\r\n\r\n"])
def test_headers_that_are_none_are_refused(data):
    with pytest.raises(ValueError):
        HeaderFraming().read(io.BytesIO(data))


def test_a_message_cut_short_is_the_end():
    assert HeaderFraming().read(io.BytesIO(b"Content-Length: 10\r\n\r\n{}")) is None


def test_an_error_says_everything_in_its_text():
    error = hone.HoneError.from_wire({"code": -32602, "message": "Bad.", "data": {
        "kind": "invalidParams", "problems": [{"path": "lm", "message": "Missing.", "suggestion": "x"}],
        "remedy": "Name one.", "runId": "r"}})
    assert str(error) == 'Bad.\n  - lm: Missing. Did you mean "x"?\n  Name one.'
    assert (error.kind, error.remedy, error.run_id, error.is_cancelled) == ("invalidParams", "Name one.", "r", False)


@pytest.fixture
def scripted(tmp_path):
    """A client of a service whose every answer is given by a function from the request to lines."""
    clients = []

    def begin(answer):
        path = str(tmp_path / "s")
        server = socket.create_server(path, family=socket.AF_UNIX)

        def run():
            connection, _ = server.accept()
            with server, connection, connection.makefile("rwb") as stream:
                for text in stream:
                    for reply in answer(json.loads(text)):
                        stream.write(reply if isinstance(reply, bytes) else json.dumps(reply).encode() + b"\n")
                    stream.flush()

        threading.Thread(target=run, daemon=True).start()
        clients.append(hone.Client.connect(path))
        return clients[0]

    yield begin
    for client in clients:
        client.close(timeout=2)


def result(request, value):
    return {"jsonrpc": "2.0", "id": request["id"], "result": value}


def test_answers_of_a_batch_may_come_in_any_order(scripted):
    client = scripted(lambda batch: [[result(request, request["method"]) for request in reversed(batch)]])
    assert client.batch([("a", {}), ("b", {}), ("c", {})]) == ["a", "b", "c"]
    assert client.batch([]) == []


def test_a_request_of_the_service_that_is_not_served_is_refused(scripted):
    heard = []

    def answer(message):
        heard.append(message)
        if message.get("method") == "go":
            return [{"jsonrpc": "2.0", "id": 1_000_000_000, "method": "metric/score", "params": {}}]
        return [{"jsonrpc": "2.0", "id": heard[0]["id"], "result": "gone on"}]

    assert scripted(answer).call("go", timeout=10) == "gone on"
    assert (heard[1]["id"], heard[1]["error"]["code"]) == (1_000_000_000, -32601)


@pytest.mark.parametrize("junk", [b"junk\n", b"7\n", b"[1]\n", b'"x"\n'])
def test_what_is_no_message_ends_the_conversation_for_all_who_wait(scripted, junk):
    client = scripted(lambda request: [junk])
    with pytest.raises(hone.ConnectionLost):
        client.call("a", timeout=10)
    with pytest.raises(hone.ConnectionLost):
        client.call("b", timeout=10)


def test_a_listener_that_fails_does_not_end_the_conversation(scripted, capsys):
    def answer(request):
        token = request["params"]["workDoneToken"]
        return [{"jsonrpc": "2.0", "method": "$/progress", "params": {"token": token, "value": {}}}, result(request, 1)]

    assert scripted(answer).call("a", on_progress=lambda report: 1 / 0, timeout=10) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_call_that_takes_too_long_is_cancelled(scripted):
    heard = []
    done = threading.Event()

    def answer(message):
        heard.append(message)
        if len(heard) == 2:
            done.set()
        return []

    with pytest.raises(TimeoutError):
        scripted(answer).call("slow", timeout=0.05)
    assert done.wait(10)
    assert (heard[1]["method"], heard[1]["params"]) == ("$/cancelRequest", {"id": heard[0]["id"]})


def test_a_service_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        hone.Client.start(tmp_path, executable=tmp_path / "none")
    with pytest.raises(OSError):
        hone.Client.connect(tmp_path / "none")


def test_a_closed_client_says_so(client):
    assert "0 calls under way" in repr(client)
    client.close()
    client.close()
    assert "closed" in repr(client) and client.process.returncode == 0
    with pytest.raises(hone.ConnectionLost):
        client.list_experiments()
