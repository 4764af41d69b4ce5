"""The tools for coding agents, as the official Python SDK of the Model Context Protocol sees them."""

import json
import os
import signal
import subprocess
import time

import anyio
import pytest

from scripted_endpoint import ScriptedEndpoint

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
                "watchRun", "cancelRun", "resumeRun", "listResults", "compareRuns"} <= set(tools)
        schema = tools["compile"].input_schema
        assert schema["type"] == "object" and "metric" in schema["required"]
        assert "components" not in json.dumps(schema)
        for name in ("compile", "evaluate", "predict", "resumeRun"):
            assert "Costs" in tools[name].description and "1000 model calls" in tools[name].description
        assert "Costs nothing" in tools["listRuns"].description
        result = await client.call_tool("evaluate", EVALUATE)
        assert not result.is_error
        assert result.structured_content["count"] == 30 and len(result.structured_content["results"]) == 20
        # The simulated model spends nothing but time.
        left = result.structured_content["left"]
        assert left["maxCalls"] == 1000 and left["maxTokens"] == 10_000_000 and left["maxCost"] == 2 and 0 < left["maxSeconds"] < 21_600
        text = result.content[0].text
        assert f"score {result.structured_content['score']:.2f}" in text and "left for this session: 1000 model calls" in text and "simulated" in text
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


@pytest.fixture
def answering():
    """An endpoint that costs calls."""
    with ScriptedEndpoint(lambda body: "[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]") as endpoint:
        yield endpoint


# What an agent may put into a request to get more than the operator gives.
LIFTS = [
    {}, {"budget": None}, {"budget": {}}, {"budget": {"maxCalls": None}}, {"budget": {"max_calls": None}}, {"budget": {"maxCalls": 10 ** 9}},
    {"budget": {"maxCalls": 10 ** 9, "maxCost": 1e9, "maxTokens": 10 ** 12, "maxSeconds": 1e9}},
    {"budget": {"maxCalls": None, "max_calls": 10 ** 9}},
]


@pytest.mark.parametrize("lift", LIFTS, ids=json.dumps)
def test_no_argument_lifts_the_operators_bounds(talk, answering, lift):
    async def conversation(client):
        params = {**EVALUATE, "module": "Predict", "adapter": "chat", "lm": answering.model(cache=False, price={"input": 1, "output": 1}), **lift}
        spent = await client.call_tool("evaluate", params)
        assert spent.structured_content["status"] == "BUDGET_EXHAUSTED", spent.content
        assert "operator" in spent.structured_content["error"]["message"]
        assert spent.structured_content["left"]["maxCalls"] == 0
        assert "left for this session: 0 model calls" in spent.content[0].text
        run = spent.structured_content["runId"]
        again = await client.call_tool("resumeRun", {"runId": run, **({"budget": lift["budget"]} if "budget" in lift else {})})
        assert again.structured_content["status"] == "BUDGET_EXHAUSTED"
        apart = await client.call_tool("resumeRun", {"runId": run, "detach": True, "budget": None})
        assert apart.is_error and apart.structured_content["error"]["kind"] == "budgetExhausted"
        one = await client.call_tool("predict", {"program": {"run": run}, "inputs": {"question": "?"}, **lift})
        assert one.is_error and one.structured_content["error"]["kind"] == "budgetExhausted"
        assert one.structured_content["left"]["maxCalls"] == 0

    talk(conversation, "auto", "--max-calls", "5")
    assert len(answering.bodies) == 5


@pytest.mark.parametrize("frame", [
    {"ceiling": None}, {"ceiling": {"limits": {}}}, {"ceiling": {"limits": {"maxCalls": 99}}}, {"root": "/"}, {"restrictKeys": False},
    {"baseDirectory": "/"}, {"base_directory": "/"}, {"restrict_keys": False}], ids=json.dumps)
@pytest.mark.parametrize("detach", [False, True])
def test_what_belongs_to_the_session_is_not_the_agents_to_say(talk, answering, frame, detach):
    async def conversation(client):
        params = {**EVALUATE, "module": "Predict", "adapter": "chat", "lm": answering.model(cache=False), "budget": None, **frame}
        result = await client.call_tool("evaluate", {**params, "detach": True} if detach else params)
        if detach and not result.is_error:
            await client.call_tool("watchRun", {"runId": result.structured_content["runId"]})
        wrong = await client.call_tool("evaluate", {**params, "devset": {"path": "/etc/passwd"}, **({"detach": True} if detach else {})})
        assert wrong.is_error and "root:" not in json.dumps(wrong.structured_content)

    talk(conversation, "auto", "--max-calls", "4")
    assert len(answering.bodies) <= 4


def test_the_bounds_are_the_sessions_and_not_each_requests(talk, answering):
    async def conversation(client):
        lm = answering.model(cache=False)
        params = {**EVALUATE, "module": "Predict", "adapter": "chat", "lm": lm, "budget": {"maxCalls": 3}}
        results = []

        async def call():
            results.append(await client.call_tool("evaluate", params))

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(call)
        assert all(result.structured_content["status"] == "BUDGET_EXHAUSTED" for result in results)
        assert sum(result.structured_content["usage"]["calls"] for result in results) == 10
        judge = {"judge": {"signature": "question, answer -> score: float", "lm": lm}}
        judged = await client.call_tool("evaluate", {**params, "metric": judge, "budget": None})
        assert judged.structured_content["left"]["maxCalls"] == 0
        best = await client.call_tool("compile", {**COMPILE, "lm": lm, "promptModel": lm, "teacher": lm, "budget": None})
        assert "budgetExhausted" in json.dumps(best.structured_content) or "operator" in best.content[0].text

    talk(conversation, "auto", "--max-calls", "10")
    assert len(answering.bodies) == 10


def test_detached_calls_count_too_and_give_back_what_they_did_not_need(talk, answering):
    async def conversation(client):
        lm = answering.model(cache=False)
        params = {**EVALUATE, "module": "Predict", "adapter": "chat", "lm": lm}
        small = {**params, "devset": {"name": "word-problems", "split": "test", "limit": 2}}
        first = await client.call_tool("evaluate", {**small, "detach": True})
        # Half of what is left is set aside until it has ended.
        assert first.structured_content["left"]["maxCalls"] in (10, 18), first.content
        await client.call_tool("watchRun", {"runId": first.structured_content["runId"]})
        with anyio.fail_after(30):
            while (await client.call_tool("predict", {"program": "a -> b", "inputs": {"a": "x"}, "lm": "simulated"})).structured_content["left"]["maxCalls"] != 18:
                await anyio.sleep(0.05)
        second = await client.call_tool("evaluate", {**params, "detach": True, "budget": {"maxCalls": 10 ** 9}})
        assert second.structured_content["left"]["maxCalls"] == 0
        ended = await client.call_tool("watchRun", {"runId": second.structured_content["runId"]})
        assert ended.structured_content["status"] == "BUDGET_EXHAUSTED"
        third = await client.call_tool("evaluate", {**params, "detach": True})
        assert third.is_error

    talk(conversation, "auto", "--max-calls", "20")
    assert len(answering.bodies) == 20


def test_dollars_tokens_and_seconds_are_bounded(talk, answering):
    free = {"price": {"input": 0, "output": 0}}

    async def dollars(client):
        # Behind an address of its own, a model's price is what the request says, and that is not relied on.
        refused = await client.call_tool("evaluate", {**EVALUATE, "lm": answering.model(**free)})
        assert refused.is_error and "price" in refused.content[0].text and "operator" in refused.content[0].text
        judge = {"judge": {"signature": "question, answer -> score: float", "lm": answering.model(**free)}}
        assert (await client.call_tool("evaluate", {**EVALUATE, "metric": judge})).is_error
        detached = await client.call_tool("evaluate", {**EVALUATE, "lm": answering.model(**free), "detach": True})
        assert detached.is_error and "price" in detached.content[0].text
        assert not (await client.call_tool("evaluate", EVALUATE)).is_error

    async def tokens(client):
        result = await client.call_tool("evaluate", {**EVALUATE, "lm": answering.model(cache=False, **free), "budget": None})
        assert "operator" in json.dumps(result.structured_content["error"])

    async def seconds(client):
        result = await client.call_tool("evaluate", {**EVALUATE, "lm": answering.model(cache=False), "budget": {"maxSeconds": 1e9}})
        assert "operator" in json.dumps(result.structured_content["error"])

    talk(dollars, "auto", "--max-cost", "1")
    assert answering.bodies == []
    talk(tokens, "auto", "--max-tokens", "100")
    talk(seconds, "auto", "--max-seconds", "0")
    assert answering.bodies == []


def test_nothing_outside_the_root_is_read_or_written(talk, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    rows = outside / "rows.jsonl"
    rows.write_text('{"question": "secret?", "answer": "1"}\n')
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "rows.jsonl").write_text('{"question": "open?", "answer": "1"}\n')
    (root / "link.jsonl").symlink_to(rows)
    (root / "away").symlink_to(outside)
    (root / "nowhere.json").symlink_to(outside / "new.json")
    (outside / "program.json").write_text("{}")
    (tmp_path / "root-too").mkdir()
    (tmp_path / "root-too" / "rows.jsonl").write_text(rows.read_text())

    async def conversation(client):
        paths = [
            str(rows), "../" + "../" * 20 + str(rows)[1:], "sub/../../root-too/rows.jsonl", "link.jsonl", "away/rows.jsonl", f"file://{rows}",
            "../root-too/rows.jsonl", str(tmp_path / "root-too/rows.jsonl"), "gone/../../rows.jsonl", "/proc/self/environ", "/dev/stdin", "rows.jsonl\0"]
        for path in paths:
            for devset in ({"path": path}, path, {"name": "gsm8k", "path": path}, {"name": "mine", "path": path}):
                wrong = await client.call_tool("evaluate", {**EVALUATE, "devset": devset})
                assert wrong.is_error and "secret" not in json.dumps(wrong.structured_content), (path, devset)
            loaded = await client.call_tool("loadProgram", {"path": path})
            assert loaded.is_error and "secret" not in json.dumps(loaded.structured_content), path
            for program in ({"path": path}, {"artifactUri": f"file://{path}"}, {"artifactUri": f"mlflow-artifacts:/{path}"}):
                assert (await client.call_tool("predict", {"program": program, "inputs": {"question": "?"}, "lm": "simulated"})).is_error
        # Whether something exists outside is not told either.
        there = await client.call_tool("loadProgram", {"path": str(outside / "program.json")})
        gone = await client.call_tool("loadProgram", {"path": str(outside / "absent.json")})
        assert there.content[0].text.replace("program.json", "absent.json") == gone.content[0].text
        detached = await client.call_tool("evaluate", {**EVALUATE, "devset": {"path": str(rows)}, "detach": True})
        assert detached.is_error and "outside" in detached.content[0].text
        for path in [
                str(outside / "new.json"), "../new.json", "away/new.json", "nowhere.json", "sub/../../new.json", "absent/new.json"]:
            saved = await client.call_tool("saveProgram", {"program": "question -> answer", "path": path})
            assert saved.is_error, path
        assert not (await client.call_tool("evaluate", {**EVALUATE, "devset": {"path": "rows.jsonl"}})).is_error
        assert not (await client.call_tool("evaluate", {**EVALUATE, "devset": str(root / "sub/../rows.jsonl")})).is_error
        assert not (await client.call_tool("evaluate", {**EVALUATE, "devset": "rows.jsonl", "detach": True})).is_error

    talk(conversation, "auto", "--root", str(root))
    assert sorted(path.name for path in outside.iterdir()) == ["program.json", "rows.jsonl"]
    assert not (tmp_path / "new.json").exists()


def test_only_what_the_session_saved_is_overwritten(talk, tmp_path):
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "real.json").write_text("mine")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")

    async def conversation(client):
        async def save(path, program):
            return await client.call_tool("saveProgram", {"program": program, "path": path})

        for path in ("package.json", "link.json", "./sub/../package.json", str(tmp_path / "real.json")):
            (tmp_path / "sub").mkdir(exist_ok=True)
            refused = await save(path, "question -> answer")
            assert refused.is_error and "free" in refused.content[0].text
        assert not (await save("best.json", "question -> answer")).is_error
        first = (tmp_path / "best.json").read_text()
        assert not (await save("best.json", "text -> summary")).is_error
        assert (tmp_path / "best.json").read_text() != first
        (tmp_path / "best.json").write_text("changed by hand")
        assert (await save("best.json", "question -> answer")).is_error
        assert (tmp_path / "best.json").read_text() == "changed by hand"

    async def later(client):
        (tmp_path / "best.json").write_text("{}")
        assert (await client.call_tool("saveProgram", {"program": "a -> b", "path": "best.json"})).is_error

    talk(conversation)
    talk(later)
    assert (tmp_path / "package.json").read_text() == "{}" and (tmp_path / "real.json").read_text() == "mine"
    assert not list(tmp_path.glob("*.new")) and not list(tmp_path.glob("*.part"))


def test_a_data_set_may_be_a_text(talk, tmp_path):
    (tmp_path / "mine.csv").write_text("question,answer\n1 + 1?,2\n2 + 2?,4\n")

    async def conversation(client):
        async def count(devset):
            result = await client.call_tool("evaluate", {**EVALUATE, "devset": devset})
            assert not result.is_error, result.content
            return result.structured_content["count"]

        assert await count("question,answer\n1 + 1?,2\n2 + 2?,4\n3 + 3?,6") == 3
        assert await count('{"question": "1 + 1?", "answer": "2"}\n{"question": "2?", "answer": "2"}\n') == 2
        assert await count('{"question": "1 + 1?", "answer": "2"}') == 1
        assert await count('[{"question": "1 + 1?", "answer": "2"}]') == 1
        assert await count({"text": "question\tanswer\n1\t2", "format": "tsv"}) == 1
        assert await count("mine.csv") == 2
        assert await count({"rows": [{"question": "1?", "answer": "1"}], "name": "kept rows"}) == 1
        # By the name under which a run logged it.
        assert await count("kept rows") == 1
        assert await count("word-problems:test") > 20
        wrong = await client.call_tool("evaluate", {**EVALUATE, "devset": "question,answer\n1,2,3"})
        assert wrong.is_error and "2 columns" in wrong.content[0].text
        gone = await client.call_tool("evaluate", {**EVALUATE, "devset": "no such data"})
        assert gone.is_error and "no such data" in gone.content[0].text

    talk(conversation)


def test_runs_are_compared(talk):
    async def conversation(client):
        runs = [(await client.call_tool("evaluate", EVALUATE)).structured_content["runId"] for _ in range(2)]
        compared = await client.call_tool("compareRuns", {"runIds": runs})
        assert compared.structured_content["comparisons"][0]["runId"] == runs[1]
        listed = await client.call_tool("listResults", {"runIds": runs})
        assert [len(run["scores"]) for run in listed.structured_content["runs"]] == [30, 30]

    talk(conversation)


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
