"""A key goes only where its owner sends it: not where a request, an agent or somebody's file says."""

import http.server
import json
import os
import subprocess
import threading

import pytest

import hone
from lsp import Editor

TEAM, DATABASE = "team-key-value-0815", "postgres://user:word@db/x"


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    monkeypatch.setenv("TEAM_KEY", TEAM)
    monkeypatch.setenv("DATABASE_URL", DATABASE)


class Listener(http.server.BaseHTTPRequestHandler):
    """Answers every question, and remembers which keys came with it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.headers["authorization"], self.headers["x-db"]))
        text = "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]"
        data = json.dumps({"choices": [{"message": {"content": text}}], "model": "m"}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def listener():
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Listener)
    server.heard, server.daemon_threads = [], True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()


def model(listener, host="0.0.0.0", **more):
    """A model that this machine answers for; 0.0.0.0 reaches it under a name that is no loopback address."""
    return {"model": "m", "apiBase": f"http://{host}:{listener.server_port}/v1", "apiKeyEnv": "TEAM_KEY", **more}


def ask(client, lm):
    return client.call("predict", {"program": "question -> answer", "inputs": {"question": "2 + 2?"}, "lm": lm})


def keys(executable, *arguments, status=0):
    done = subprocess.run([executable, "keys", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_a_request_cannot_send_a_key_anywhere(executable, start, tmp_path, listener):
    client = start(tmp_path / "home")
    lm = model(listener, headers={"X-DB": {"env": "DATABASE_URL"}})
    with pytest.raises(hone.InvalidParams) as refused:
        ask(client, lm)
    problems = {problem["path"]: problem["message"] for problem in refused.value.problems}
    assert set(problems) == {"lm.apiKeyEnv", "lm.headers.X-DB"}
    place = f"0.0.0.0:{listener.server_port}"
    assert problems["lm.apiKeyEnv"].endswith(f"hone keys allow TEAM_KEY {place}")
    assert listener.heard == [] and TEAM not in str(refused.value) and DATABASE not in str(refused.value)

    # The very lines that the message prints, and no new start.
    for message in problems.values():
        keys(executable, *message.split("hone keys ")[1].split())
    assert ask(client, lm)["outputs"]["answer"] == "4"
    assert listener.heard == [(f"Bearer {TEAM}", DATABASE)]
    listed = json.loads(keys(executable, "list", "--json"))
    assert listed == [{"variable": "DATABASE_URL", "host": place}, {"variable": "TEAM_KEY", "host": place}]
    assert os.stat(tmp_path / "config" / "hone" / "keys.json").st_mode & 0o777 == 0o600

    assert "no longer" in keys(executable, "forget", "TEAM_KEY")
    with pytest.raises(hone.InvalidParams):
        ask(client, {**lm, "cache": False})
    # Another variable, or another host, was never allowed.
    with pytest.raises(hone.InvalidParams):
        ask(client, model(listener, apiKeyEnv="DATABASE_URL", host="elsewhere.example"))
    assert len(listener.heard) == 1


def test_pairs_that_are_allowed_at_the_same_time_are_all_kept(executable, tmp_path):
    names = [f"KEY_{number}" for number in range(24)]
    processes = [
        subprocess.Popen([executable, "keys", "allow", name, "llm.example.org"], stdout=subprocess.DEVNULL)
        for name in names]
    assert [process.wait(timeout=60) for process in processes] == [0] * len(names)
    assert sorted(one["variable"] for one in json.loads(keys(executable, "list", "--json"))) == sorted(names)
    assert os.stat(tmp_path / "config" / "hone" / "keys.json").st_mode & 0o777 == 0o600


def test_a_run_needs_leave_again_when_it_is_resumed(executable, start, tmp_path, listener):
    client = start(tmp_path / "home")
    place = f"0.0.0.0:{listener.server_port}"
    keys(executable, "allow", "TEAM_KEY", place)
    rows = [{"question": f"{n} + 1?", "answer": "4"} for n in range(4)]
    done = client.call("evaluate", {
        "program": "question -> answer", "devset": rows, "metric": "exact_match", "lm": model(listener),
        "budget": {"maxCalls": 2}, "concurrency": 1})
    assert done["status"] == "BUDGET_EXHAUSTED"
    keys(executable, "forget", "TEAM_KEY")
    with pytest.raises(hone.HoneError) as refused:
        client.call("resumeRun", {"runId": done["runId"], "budget": None})
    assert f"hone keys allow TEAM_KEY {place}" in str(refused.value)
    keys(executable, "allow", "TEAM_KEY", place)
    assert client.call("resumeRun", {"runId": done["runId"], "budget": None})["status"] == "FINISHED"


def test_the_command_line_of_a_service_may_allow_a_pair(executable, tmp_path, listener):
    process = subprocess.run(
        [executable, "serve", "--home", str(tmp_path / "home"), "--allow-key", "TEAM_KEY=0.0.0.0"],
        input=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "predict", "params": {
            "program": "question -> answer", "inputs": {"question": "2 + 2?"}, "lm": model(listener)}}).encode() + b"\n",
        capture_output=True, timeout=60)
    assert json.loads(process.stdout)["result"]["outputs"]["answer"] == "4"
    assert listener.heard == [(f"Bearer {TEAM}", None)]
    wrong = subprocess.run([executable, "serve", "--allow-key", "TEAM_KEY"], capture_output=True, text=True, timeout=30)
    assert wrong.returncode == 64 and "TEAM_KEY=llm.example.org" in wrong.stderr


def test_what_is_typed_counts_and_what_a_file_says_does_not(executable, tmp_path, listener):
    base = f"http://0.0.0.0:{listener.server_port}/v1"

    def evaluate(*arguments, lm=None, **more):
        file = tmp_path / "request.json"
        request = {
            "program": "question -> answer", "devset": [{"question": "2 + 2?", "answer": "4"}],
            "metric": "exact_match", **({"lm": lm} if lm else {}), **more}
        file.write_text(json.dumps(request))
        return subprocess.run(
            [executable, "evaluate", str(file), "--home", str(tmp_path / "home"), *arguments],
            capture_output=True, text=True, timeout=60)

    refused = evaluate(lm=model(listener))
    assert refused.returncode == 2 and "hone keys allow TEAM_KEY" in refused.stderr
    # Nor where the file says that it is another one, for which that was allowed.
    grants = tmp_path / "config" / "hone" / "keys.json"
    grants.parent.mkdir(parents=True)
    grants.write_text(json.dumps({"allowed": [
        {"variable": "TEAM_KEY", "host": "0.0.0.0", "file": "/w/a.hone.json"}]}))
    grants.chmod(0o600)
    refused = evaluate(lm=model(listener), tags={"hone.file": "/w/a.hone.json"})
    assert refused.returncode == 2 and "hone keys allow TEAM_KEY" in refused.stderr
    grants.unlink()
    # The variable is typed, but where it would go is the file's word.
    refused = evaluate("--api-key-env", "TEAM_KEY", lm={"model": "m", "apiBase": base})
    assert refused.returncode == 2 and listener.heard == []
    assert evaluate("--lm", "m", "--api-base", base, "--api-key-env", "TEAM_KEY").returncode == 0
    assert evaluate("--lm", json.dumps({**model(listener), "cache": False})).returncode == 0
    assert evaluate("--allow-key", "TEAM_KEY=0.0.0.0", lm={**model(listener), "cache": False}).returncode == 0
    assert len(listener.heard) == 3


def test_a_list_that_others_can_write_to_is_not_used(executable, start, tmp_path, listener):
    keys(executable, "allow", "TEAM_KEY", "0.0.0.0")
    os.chmod(tmp_path / "config" / "hone" / "keys.json", 0o666)
    with pytest.raises(hone.HoneError) as refused:
        ask(start(tmp_path / "home"), model(listener))
    assert "chmod 600" in str(refused.value) and listener.heard == []


def test_a_user_names_any_variable_for_this_machine_and_an_agent_does_not(
        executable, start, tmp_path, listener, shared_services):
    lm = model(listener, "127.0.0.1")
    assert ask(start(tmp_path / "home"), lm)["outputs"]["answer"] == "4"
    assert listener.heard == [(f"Bearer {TEAM}", None)]

    def agent(*more, **params):
        params = {"program": "question -> answer", "lm": {**lm, "cache": False}, **params}
        name = "predict" if "inputs" in params else "evaluate"
        calls = [
            {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": name, "arguments": params}}]
        process = subprocess.Popen(
            [executable, "mcp", "--home", str(tmp_path / "home"), *more], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdin.write("".join(json.dumps(call) + "\n" for call in calls).encode())
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in calls]
        process.stdin.close()
        process.wait(timeout=30)
        return answers[1]["result"]

    question = {"inputs": {"question": "2 + 2?"}}
    detached = {"devset": [{"question": "2 + 2?", "answer": "4"}], "metric": "exact_match", "detach": True}
    # Nor does it help to say that the session may.
    for params in (question, {**question, "restrictKeys": False}, detached, {**detached, "restrictKeys": False}):
        result = agent(**params)
        assert result["isError"] and "hone keys allow TEAM_KEY" in result["content"][0]["text"], result
    # Nor that it comes from a file for which an editor may.
    grants = tmp_path / "config" / "hone" / "keys.json"
    grants.parent.mkdir(parents=True, exist_ok=True)
    grants.write_text(json.dumps({"allowed": [
        {"variable": "TEAM_KEY", "host": "127.0.0.1", "file": "/w/a.hone.json"}]}))
    grants.chmod(0o600)
    for params in (detached, {**detached, "detach": False}):
        result = agent(**params, tags={"hone.file": "/w/a.hone.json"})
        assert result["isError"] and "hone keys allow TEAM_KEY" in result["content"][0]["text"], result
    assert len(listener.heard) == 1
    assert not agent("--allow-key", "TEAM_KEY=127.0.0.1", **question)["isError"]
    assert len(listener.heard) == 2


def test_an_editor_asks_once_and_forgets_when_told(executable, tmp_path, listener):
    file = tmp_path / "a.hone.json"
    file.write_text(json.dumps({
        "program": "question -> answer", "devset": [{"question": "2 + 2?", "answer": "4"}], "metric": "exact_match",
        "lm": {**model(listener, "127.0.0.1"), "cache": False}}))
    uri = file.as_uri()
    editor = Editor([executable, "serve", "--home", str(tmp_path / "home")], str(tmp_path))
    try:
        asked = []

        def choose(title):
            def answer(params):
                asked.append(params["message"])
                return title and {"title": title}
            editor.answers["window/showMessageRequest"] = answer

        def evaluate():
            return editor.response(editor.send(
                "workspace/executeCommand", {"command": "hone.evaluate", "arguments": [{"uri": uri}]}))

        for no in (None, "Don't allow"):
            choose(no)
            error = evaluate()["error"]
            assert f"hone keys allow TEAM_KEY 127.0.0.1:{listener.server_port}" in json.dumps(error)
        assert listener.heard == [] and "TEAM_KEY" in asked[0] and "a.hone.json" in asked[0] and len(asked) == 2

        choose("Allow")
        assert evaluate()["result"]["score"] == 100 and evaluate()["result"]["score"] == 100
        assert len(asked) == 3 and len(listener.heard) == 2
        # It holds for that file only, and is kept outside of the workspace.
        other = tmp_path / "b.hone.json"
        other.write_text(file.read_text())
        choose(None)
        uri = other.as_uri()
        assert "error" in evaluate() and len(asked) == 4
        kept = json.loads((tmp_path / "config" / "hone" / "keys.json").read_text())["allowed"]
        assert [entry["file"] for entry in kept] == [str(file)]

        uri = file.as_uri()
        gone = editor.execute("hone.forgetKeys", {"uri": uri})["forgotten"]
        assert [entry["variable"] for entry in gone] == ["TEAM_KEY"]
        assert "error" in evaluate() and len(asked) == 5
    finally:
        editor.process.kill()


def test_an_allowed_file_may_have_a_judge_and_an_estimate_needs_no_leave(executable, tmp_path, listener):
    lm = {**model(listener, "127.0.0.1"), "cache": False}
    file = tmp_path / "a.hone.json"
    file.write_text(json.dumps({
        "program": "question -> answer", "devset": [{"question": "2 + 2?", "answer": "4"}], "lm": "simulated",
        "trainset": [{"question": "2 + 2?", "answer": "4"}], "optimizer": "LabeledFewShot",
        "metric": {"judge": {"signature": "question, answer -> score: float", "lm": lm}}}))
    editor = Editor([executable, "serve", "--home", str(tmp_path / "home")], str(tmp_path))
    try:
        asked = []
        editor.answers["window/showMessageRequest"] = lambda params: asked.append(params) or {"title": "Allow"}
        assert editor.execute("hone.estimate", {"uri": file.as_uri()})["status"] == "ESTIMATED" and not asked
        # The listener is no judge, so nothing can be scored; it was asked with the key all the same.
        with pytest.raises(AssertionError, match="could be judged"):
            editor.execute("hone.evaluate", {"uri": file.as_uri()})
        assert len(asked) == 1 and listener.heard and listener.heard[0] == (f"Bearer {TEAM}", None)
    finally:
        editor.process.kill()


def test_no_name_of_a_provider_leads_to_another_one(start, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", TEAM)
    for name in ("opnai/gpt-4o", "acme/gpt-4o", "gpt-4o", "OPENAI/gpt-4o"):
        with pytest.raises(hone.InvalidParams):
            ask(start(tmp_path / "home"), name)


@pytest.mark.parametrize("base", [
    "http://user:word@127.0.0.1:1/v1", "http://team-key-value-0815@127.0.0.1:1/v1",
    "http://127.0.0.1:1/v1?key=team-key-value-0815", "http://127.0.0.1:1/v1?api_key=team-key-value-0815"])
def test_a_secret_in_an_address_is_refused_and_not_repeated(start, tmp_path, base):
    with pytest.raises(hone.InvalidParams) as refused:
        ask(start(tmp_path / "home"), {"model": "m", "apiBase": base})
    assert "must not contain" in str(refused.value)
    assert "word" not in str(refused.value).replace("password", "") and TEAM not in str(refused.value)
    for file in (tmp_path / "home").rglob("*") if (tmp_path / "home").exists() else []:
        if file.is_file():
            assert TEAM.encode() not in file.read_bytes()
