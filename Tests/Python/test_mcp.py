"""The tools for coding agents, as the official Python SDK of the Model Context Protocol sees them."""

import json
import os
import signal
import subprocess
import time

import anyio
import pytest

mcp = pytest.importorskip("mcp", reason="the Model Context Protocol's SDK is not installed")
from mcp.client import Client  # noqa: E402
from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: E402

EVALUATE = {
    "program": "question -> answer", "metric": "numeric_match", "lm": "simulated", "experiment": "agents",
    "devset": {"name": "word-problems", "split": "test", "limit": 30}}
COMPILE = {
    "program": "question -> answer", "metric": "numeric_match", "lm": "simulated", "experiment": "agents",
    "optimizer": {"name": "MIPROv2", "auto": None, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10},
    "trainset": {"name": "word-problems", "split": "train", "limit": 20},
    "valset": {"name": "word-problems", "split": "val", "limit": 20}}


@pytest.fixture
def talk(executable, tmp_path, monkeypatch, tmp_path_factory):
    """Runs a conversation with a server of its own; ends the shared service that it may have started."""
    runtime = tmp_path_factory.mktemp("m")

    def talk(conversation, mode="auto", *arguments):
        parameters = StdioServerParameters(
            command=executable, args=["mcp", "--home", str(tmp_path / "home"), *arguments], cwd=str(tmp_path),
            env={"XDG_RUNTIME_DIR": str(runtime)})

        async def main():
            with anyio.fail_after(120):
                async with Client(stdio_client(parameters), mode=mode) as client:
                    return await conversation(client)

        return anyio.run(main)

    yield talk
    for lock in (runtime / "hone").glob("*.sock.lock"):
        try:
            os.kill(int(lock.read_text()), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            pass


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
def test_tools_are_listed_and_called_in_every_era(talk, mode):
    async def conversation(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"evaluate", "compile", "listRuns", "getRun", "getTrace", "listTraces", "loadProgram", "predict",
                "watchRun", "cancelRun", "resumeRun"} <= set(tools)
        schema = tools["compile"].input_schema
        assert schema["type"] == "object" and "metric" in schema["required"]
        assert "components" not in json.dumps(schema)
        assert "1000 model calls" in tools["compile"].description
        result = await client.call_tool("evaluate", EVALUATE)
        assert not result.is_error
        assert result.structured_content["count"] == 30 and len(result.structured_content["results"]) == 20
        assert result.structured_content["budget"]["maxCalls"] == 1000
        text = result.content[0].text
        assert f"score {result.structured_content['score']:.2f}" in text and "budget" in text and "simulated" in text
        runs = await client.call_tool("listRuns", {"experiment": "agents"})
        assert [run["runId"] for run in runs.structured_content["runs"]] == [result.structured_content["runId"]]
        assert result.structured_content["runId"] in runs.content[0].text

    talk(conversation, mode)


def test_a_schema_describes_what_the_methods_take(talk):
    jsonschema = pytest.importorskip("jsonschema")

    async def conversation(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        for tool in tools.values():
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.validate(EVALUATE, tools["evaluate"].input_schema)
        jsonschema.validate(COMPILE, tools["compile"].input_schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**EVALUATE, "lmm": 1}, tools["evaluate"].input_schema)

    talk(conversation)


def test_a_compile_reports_rising_progress_and_its_program_is_used(talk):
    async def conversation(client):
        heard = []

        async def progress(value, total, message):
            heard.append((value, total, message))

        best = await client.call_tool("compile", COMPILE, progress_callback=progress)
        assert not best.is_error, best.content
        values = [value for value, _, _ in heard]
        assert len(values) > 2 and all(a < b for a, b in zip(values, values[1:]))
        assert heard[-1][1] and any("trial" in message for _, _, message in heard)
        run = best.structured_content["runId"]
        loaded = await client.call_tool("loadProgram", {"run": run})
        answer = await client.call_tool("predict", {
            "program": {"run": run}, "inputs": {"question": "What is 1 + 1?"}, "lm": "simulated"})
        assert loaded.structured_content["programId"] == best.structured_content["programId"]
        assert "answer:" in answer.content[0].text
        trace = await client.call_tool("getTrace", {"traceId": answer.structured_content["traceId"]})
        assert trace.structured_content["spans"]

    talk(conversation)


def test_mistakes_come_back_as_results_that_a_model_can_read(talk):
    async def conversation(client):
        wrong = await client.call_tool("evaluate", {**EVALUATE, "metric": "exact_mach", "lmm": "x"})
        assert wrong.is_error
        assert 'Did you mean "exact_match"?' in wrong.content[0].text
        assert {problem["path"] for problem in wrong.structured_content["error"]["problems"]} == {"metric", "lmm"}
        gone = await client.call_tool("getRun", {"runId": "0" * 32})
        assert gone.is_error and gone.structured_content["error"]["kind"] == "notFound"
        with pytest.raises(mcp.MCPError) as failure:
            await client.call_tool("evalute", {})
        assert failure.value.code == -32602 and "evaluate" in str(failure.value)

    talk(conversation)


def test_the_budget_is_kept_and_can_be_raised(talk):
    async def conversation(client):
        params = {**EVALUATE, "lm": {"model": "simulated", "cache": False}}
        spent = await client.call_tool("evaluate", params)
        assert spent.structured_content["status"] == "BUDGET_EXHAUSTED"
        assert spent.structured_content["usage"]["calls"] <= 10
        assert "BUDGET_EXHAUSTED" in spent.content[0].text and "raise it" in spent.content[0].text
        whole = await client.call_tool("evaluate", {**params, "budget": {"maxCalls": 100}})
        assert whole.structured_content["status"] == "FINISHED"
        assert whole.structured_content["budget"]["maxCalls"] == 100
        free = await client.call_tool("evaluate", {**params, "budget": None})
        assert free.structured_content["status"] == "FINISHED"

    talk(conversation, "auto", "--max-calls", "10")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_cancelled_call_ends_the_work_and_the_session_goes_on(talk, tmp_path, mode):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silence:
        lm = {"model": "openai/silent", "apiBase": f"http://127.0.0.1:{silence.getsockname()[1]}/v1"}

        async def conversation(client):
            begun = anyio.Event()

            async def progress(value, total, message):
                begun.set()

            async with anyio.create_task_group() as group:
                async def call():
                    await client.call_tool("evaluate", {**EVALUATE, "lm": lm}, progress_callback=progress)

                group.start_soon(call)
                await begun.wait()
                group.cancel_scope.cancel()
            while True:
                runs = await client.call_tool("listRuns", {"experiment": "agents"})
                [run] = runs.structured_content["runs"]
                if run["status"] != "RUNNING":
                    break
                await anyio.sleep(0.05)
            assert run["tags"]["hone.status"] == "CANCELLED"

        talk(conversation, mode)


def test_a_detached_compile_outlives_the_agent_and_is_watched_by_the_next(talk):
    async def begin(client):
        answer = await client.call_tool("compile", {**COMPILE, "detach": True})
        assert not answer.is_error, answer.content
        assert answer.structured_content["status"] == "RUNNING" and "watchRun" in answer.content[0].text
        wrong = await client.call_tool("compile", {**COMPILE, "metric": "exact_mach", "detach": True})
        assert wrong.is_error and wrong.structured_content["error"]["problems"][0]["suggestion"] == "exact_match"
        return answer.structured_content["runId"]

    async def follow(client):
        return (await client.call_tool("watchRun", {"runId": run})).structured_content

    run = talk(begin)
    result = talk(follow)
    assert result["runId"] == run and result["status"] == "FINISHED"


def test_work_ends_with_its_agent_and_can_be_resumed(executable, tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silence:
        lm = {"model": "openai/silent", "apiBase": f"http://127.0.0.1:{silence.getsockname()[1]}/v1"}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "evaluate", "arguments": {**EVALUATE, "lm": lm}}}
        done = subprocess.run(
            [executable, "mcp", "--home", str(tmp_path / "home")], input=json.dumps(call) + "\n",
            capture_output=True, text=True, timeout=60)
    answer = json.loads(done.stdout)["result"]
    assert "resume" in json.dumps(answer)
    runs = json.loads(subprocess.run(
        [executable, "runs", "--home", str(tmp_path / "home"), "--json"], capture_output=True, text=True).stdout)["runs"]
    assert runs[0]["tags"]["hone.status"] == "INTERRUPTED"


def test_lines_and_nothing_else(executable, tmp_path):
    requests = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "ping"},
        {"id": 3, "method": "resources/list"},
        {"id": 4, "method": "tools/list", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "1999-01-01"}}},
        {"id": 5, "method": "initialize", "params": {"protocolVersion": "1999-01-01"}},
        {"method": "notifications/cancelled", "params": {"requestId": 99}},
        {"id": 6, "method": "tools/call", "params": {"name": "getRun", "arguments": [1]}},
    ]
    text = "".join(json.dumps({"jsonrpc": "2.0", **request}) + "\n" for request in requests)
    begun = time.monotonic()
    done = subprocess.run(
        [executable, "mcp", "--home", str(tmp_path / "home")], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and time.monotonic() - begun < 30
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["result"]["protocolVersion"] == "2025-06-18"
    assert answers[2]["result"] == {}
    assert answers[3]["error"]["code"] == -32601
    assert answers[4]["error"]["code"] == -32022 and "2026-07-28" in answers[4]["error"]["data"]["supported"]
    assert answers[5]["result"]["protocolVersion"] == "2025-11-25"
    assert answers[6]["error"]["code"] == -32602
    assert not (tmp_path / "home").exists()
