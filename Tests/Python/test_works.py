"""Works apart from whoever asked for them: detached, watched, cancelled, paused, bounded, ended with the service."""

import json
import re
import signal
import subprocess
import time

import pytest

from additions import MIPRO, OPTIMIZERS, ROWS, Endpoint, compile_params, course, outcome
from conftest import wait_until
from test_kill import Service
from wire import Peer, Refused


@pytest.fixture
def endpoints():
    """Starts endpoints with the settings given, and ends them."""
    started = []

    def begin(**settings):
        started.append(Endpoint(**settings))
        return started[-1]

    yield begin
    for endpoint in started:
        endpoint.close()
    

@pytest.fixture
def endpoint(endpoints):
    return endpoints()


@pytest.fixture
def service(executable, tmp_path):
    service = Service(executable, tmp_path)
    yield service
    service.kill()


def progress_of(peer, token):
    """The values that have come under a token so far."""
    values = []
    while not peer.notified.empty():
        message = peer.notified.get()
        if message["params"]["token"] == token:
            values.append(message["params"]["value"])
    return values


def status_of(peer, run):
    return peer.call("getRun", {"runId": run})["run"]["tags"].get("hone.status")


def evaluation(endpoint, rows=64, **more):
    devset = [{**row, "question": f"({n}) {row['question']}"} for n, row in enumerate((ROWS * 20)[:rows])]
    return {"program": "question -> answer", "devset": devset, "metric": "numeric_match", "lm": endpoint.lm(), **more}


# Detaching and watching


def test_a_detached_compile_is_watched_from_anywhere(executable, service, tmp_path, endpoints):
    endpoint = endpoints(delay=0.01)
    starter, watcher = Peer.at(service.path), Peer.at(service.path)
    with endpoint.holding(after=100):
        begun = starter.call("compile", compile_params(endpoint, detach=True))
        assert begun["status"] == "RUNNING" and set(begun) == {"runId", "experimentId", "status"}
        starter.close()
        run = begun["runId"]
        wait_until(lambda: endpoint.stats["held"])
        # Another process on the same store follows it, too.
        other = subprocess.Popen(
            [executable, "watch", run, "--json", "--home", str(service.home)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        watching = watcher.ask("watchRun", {"runId": run, "workDoneToken": "w", "partialResultToken": "p"})
        seen = []
        wait_until(lambda: seen.extend(progress_of(watcher, "p")) or seen)
    result = watching.result(60)
    assert result["status"] == "FINISHED"
    trials = [value["trial"] for value in seen + progress_of(watcher, "p") if "trial" in value]
    assert [t["number"] for t in trials] == [t["number"] for t in result["trials"]], "trials before and after attaching"
    assert json.loads(other.communicate(timeout=30)[0]) == result
    # Finished, it answers the same, here and in another process.
    assert watcher.call("watchRun", {"runId": run}) == result
    later = subprocess.run([executable, "watch", run, "--json", "--home", str(service.home)], capture_output=True)
    assert json.loads(later.stdout) == result and later.returncode == 0


def test_what_cannot_be_watched_or_resumed_is_told(service):
    for method in ("watchRun", "cancelRun", "resumeRun"):
        with pytest.raises(Refused) as failure:
            service.peer.call(method, {"runId": "0" * 32})
        assert failure.value.kind == "notFound"
    with pytest.raises(Refused) as failure:
        service.peer.call("compile", {"detach": True, "autolog": False})
    assert any(problem["path"] == "detach" for problem in failure.value.data["problems"])


# Cancelling


def test_cancel_is_felt_at_once_with_64_hung_requests(service, endpoints):
    endpoint = endpoints(hang=1)
    waits = []
    for _ in range(3):
        before = endpoint.stats["open"]
        assert before == 0
        request = service.peer.ask("evaluate", evaluation(endpoint, concurrency=64, adapter="chat"))
        wait_until(lambda: endpoint.stats["open"] == 64)
        began = time.monotonic()
        service.peer.cancel(request)
        with pytest.raises(Refused) as failure:
            request.result(20)
        waits.append(time.monotonic() - began)
        assert failure.value.code == -32800
        run = failure.value.data["runId"]
        assert status_of(service.peer, run) == "CANCELLED"
        # The requests themselves were ended.
        wait_until(lambda: endpoint.stats["open"] == 0)
    print(f"cancel to reply: {', '.join(f'{wait * 1000:.0f} ms' for wait in waits)}")
    assert min(waits) < 1
    # Mended and resumed, the run comes to its end.
    endpoint.fail()
    result = service.peer.call("resumeRun", {"runId": run})
    assert result["status"] == "FINISHED" and result["count"] == 64 and result["failed"] == 0


@pytest.mark.parametrize("place", ["here", "another process"])
def test_cancel_run_gives_the_best_so_far_and_resumes(executable, service, place, endpoints):
    endpoint = endpoints(delay=0.02)
    expected = service.peer.call("compile", compile_params(endpoint, lm={"cache": False}))
    before = endpoint.calls
    with endpoint.holding(after=100):
        request = service.peer.ask("compile", compile_params(endpoint, lm={"cache": False}, experiment="cut", partialResultToken="p"))
        wait_until(lambda: endpoint.stats["held"] and any("trial" in value for value in progress_of(service.peer, "p")))
        run = service.peer.call("listRuns", {"experiment": "cut", "filter": "tags.hone.kind = 'compile'"})["runs"][0]["runId"]
        if place == "here":
            result = Peer.at(service.path).call("cancelRun", {"runId": run})
        else:
            command = [executable, "cancel", run, "--json", "--home", str(service.home)]
            result = json.loads(subprocess.run(command, capture_output=True, timeout=60).stdout)
    assert result["status"] == "CANCELLED" and result["program"] and result["score"] is not None
    # One that was aborted on its way may not have come to be counted there.
    paid, aborted = result["usage"]["calls"], result["usage"]["failed"]
    assert paid - aborted <= endpoint.calls - before <= paid, "the bill is exact"
    assert run in result["resumeCommand"]
    # Whoever had started it gets the same.
    assert request.result(20) == result
    assert service.peer.call("watchRun", {"runId": run}) == result
    resumed = service.peer.call("resumeRun", {"runId": run})
    assert outcome(resumed) == outcome(expected)
    assert endpoint.calls - before <= expected["usage"]["calls"] + aborted
    assert resumed["usage"]["calls"] == expected["usage"]["calls"] + aborted


def test_a_run_under_way_is_not_resumed(executable, service, endpoints):
    endpoint = endpoints()
    with endpoint.holding(after=20):
        run = service.peer.call("compile", compile_params(endpoint, detach=True))["runId"]
        with pytest.raises(Refused) as failure:
            service.peer.call("resumeRun", {"runId": run})
        assert failure.value.code == -32602 and str(service.process.pid) in str(failure.value)
        refused = subprocess.run([executable, "resume", run, "--home", str(service.home)], capture_output=True, text=True)
        assert refused.returncode == 2 and str(service.process.pid) in refused.stderr
        service.peer.call("cancelRun", {"runId": run})


def test_a_lost_connection_ends_attached_works_only(service, endpoints):
    endpoint = endpoints(delay=0.02)
    leaving = Peer.at(service.path)
    with endpoint.holding(after=30):
        leaving.ask("compile", compile_params(endpoint, experiment="attached"))
        detached = leaving.call("compile", compile_params(endpoint, experiment="detached", detach=True))["runId"]
        wait_until(lambda: endpoint.stats["held"])
        found = service.peer.call("listRuns", {"experiment": "attached", "filter": "tags.hone.kind = 'compile'"})
        attached = found["runs"][0]["runId"]
        leaving.close()
        wait_until(lambda: status_of(service.peer, attached) == "INTERRUPTED")
    assert "resumeCommand" in service.peer.call("getRun", {"runId": attached})["run"]
    assert service.peer.call("watchRun", {"runId": detached})["status"] == "FINISHED"
    assert service.peer.call("resumeRun", {"runId": attached})["status"] == "FINISHED"


# Ends of processes


def test_sigterm_leaves_running_works_resumable(service, endpoints):
    endpoint = endpoints(delay=0.02)
    expected = service.peer.call("compile", compile_params(endpoint, lm={"cache": False}))
    with endpoint.holding(after=80):
        run = service.peer.call("compile", compile_params(endpoint, lm={"cache": False}, detach=True))["runId"]
        attached = service.peer.ask("compile", compile_params(endpoint, lm={"cache": False}))
        wait_until(lambda: endpoint.stats["held"])
        began = time.monotonic()
        service.process.terminate()
        assert service.process.wait(timeout=30) == 0
    print(f"SIGTERM to exit: {(time.monotonic() - began) * 1000:.0f} ms")
    assert attached.result(5)["status"] == "INTERRUPTED"
    service.peer.close()
    service.start()
    for run in (run, attached.result()["runId"]):
        assert status_of(service.peer, run) == "INTERRUPTED"
        assert outcome(service.peer.call("resumeRun", {"runId": run})) == outcome(expected)


def test_ctrl_c_tells_what_there_is_and_once_more_ends_at_once(executable, tmp_path, endpoints):
    endpoint = endpoints(delay=0.02)
    request = tmp_path / "request.json"
    request.write_text(json.dumps(compile_params(endpoint)))
    command = [executable, "compile", str(request), "--home", str(tmp_path / "home")]
    with endpoint.holding(after=60):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: endpoint.stats["held"])
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "CANCELLED" in out and "baseline" in out
    # Requests that were aborted on their way may not have been counted there.
    assert endpoint.calls <= int(re.search(r"(\d+) calls", out)[1]) <= endpoint.calls + 8
    resume = next(line for line in out.splitlines() if "hone resume" in line).partition("hone ")[2].split()
    done = subprocess.run([executable, *resume, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "FINISHED"
    # Both ways of asking for it are the same.
    again = subprocess.run(
        [executable, "compile", "--resume", resume[1], "--json", "--home", str(tmp_path / "home")], capture_output=True, text=True)
    assert json.loads(again.stdout) == json.loads(done.stdout)


def test_eof_of_a_detached_stdio_client(executable, tmp_path, endpoints):
    """A client that pipes its requests in and leaves: what it detached goes on to its end."""
    endpoint = endpoints(delay=0.005)
    request = {"jsonrpc": "2.0", "id": 1, "method": "compile", "params": compile_params(endpoint, detach=True)}
    done = subprocess.run(
        [executable, "serve", "--home", str(tmp_path)], input=json.dumps(request).encode() + b"\n", capture_output=True, timeout=60)
    run = json.loads(done.stdout)["result"]["runId"]
    shown = subprocess.run([executable, "watch", run, "--json", "--home", str(tmp_path)], capture_output=True)
    assert json.loads(shown.stdout)["status"] == "FINISHED"


# Pausing


@pytest.mark.parametrize("fault", ["500", "close", "garbage"])
def test_an_outage_pauses_and_the_resumed_run_is_the_faultless_one(service, endpoint, fault):
    lm = {"cache": False, "retries": 1, "timeout": 5}
    expected = service.peer.call("compile", compile_params(endpoint, lm=lm))
    with endpoint.holding(after=60):
        request = service.peer.ask("compile", compile_params(endpoint, lm=lm, partialResultToken="p"))
        wait_until(lambda: endpoint.stats["held"] and any("trial" in value for value in progress_of(service.peer, "p")))
        endpoint.fail(**{f"_{fault}": 1})
    result = request.result(120)
    assert result["status"] == "PAUSED" and result["error"]["kind"] and result["program"]
    assert result["score"] == result["baselineScore"] or result["score"] in [t["score"] for t in result["trials"]]
    assert all(t["coverage"] == 1 for t in result["trials"] if t["score"] == result["score"] and t["kind"] == "eval_full")
    run = result["runId"]
    assert status_of(service.peer, run) == "PAUSED"
    assert run in service.peer.call("getRun", {"runId": run})["run"]["resumeCommand"]
    endpoint.fail()
    assert outcome(service.peer.call("resumeRun", {"runId": run})) == outcome(expected)


def test_too_many_errors_pause_an_evaluation(service, endpoint):
    endpoint.fail(_500=0.5)
    result = service.peer.call("evaluate", evaluation(endpoint, maxErrors=3, concurrency=4) | {"lm": endpoint.lm(retries=0)})
    assert result["status"] == "PAUSED" and result["error"]["kind"] == "tooManyErrors"
    assert 0 < result["coverage"] < 1
    endpoint.fail()
    result = service.peer.call("resumeRun", {"runId": result["runId"]})
    assert result["status"] == "FINISHED" and result["coverage"] == 1


# Budgets


@pytest.mark.parametrize("concurrency", [1, 8, 64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("limits", [
    {"maxCalls": 5}, {"maxCalls": 75}, {"maxTokens": 18_000}, {"maxCost": 0.02}, {"maxSeconds": 0.4},
], ids=lambda limits: "-".join(f"{k}{v}" for k, v in limits.items()))
def test_a_budget_is_never_passed_and_leaves_a_program(service, limits, optimizer, concurrency, endpoints):
    endpoint = endpoints(delay=0.02 if "maxSeconds" in limits else 0.002)
    lm = {"cache": False, "maxTokens": 300, "price": {"input": 1, "output": 2}}
    params = compile_params(endpoint, OPTIMIZERS[optimizer], lm=lm, concurrency=concurrency)
    began = time.monotonic()
    result = service.peer.call("compile", {**params, "budget": limits})
    seconds = time.monotonic() - began
    stats, usage = endpoint.stats, result["usage"]
    assert result["status"] == "BUDGET_EXHAUSTED" and result["program"]["predict"]["signature"]["instructions"]
    # What the endpoint counted, not what we did.
    assert stats["calls"] <= limits.get("maxCalls", 10**9)
    assert stats["tokens"] <= limits.get("maxTokens", 10**9)
    assert usage["cost"] <= limits.get("maxCost", 10**9)
    assert seconds < limits.get("maxSeconds", 10**9) + 10
    if "maxSeconds" not in limits:
        # Everything paid for was answered, and kept; the student's score is the first thing money goes into.
        assert usage["calls"] == stats["calls"] and usage["failed"] == 0 and usage["totalTokens"] == stats["tokens"]
        if limits.get("maxCalls") != 5:
            assert result["baselineScore"] is not None and result["score"] is not None
    # A larger budget, for the whole run, goes on from here.
    undisturbed = endpoints(delay=0.001)
    expected = service.peer.call("compile", {**params, "lm": undisturbed.lm(**lm)})
    resumed = service.peer.call("resumeRun", {"runId": result["runId"], "budget": None})
    assert outcome(resumed) == outcome(expected)
    if "maxSeconds" not in limits:
        assert endpoint.calls == undisturbed.calls


def test_a_budget_counts_what_was_spent_before_the_kill(service, endpoints):
    endpoint = endpoints(delay=0.01)
    params = compile_params(endpoint, lm={"cache": False}, budget={"maxCalls": 100}, detach=True)
    for kill in (1, 2):
        with endpoint.holding(after=30):
            if kill == 1:
                run = service.peer.call("compile", params)["runId"]
            else:
                service.peer.call("resumeRun", {"runId": run, "detach": True})
            wait_until(lambda: endpoint.stats["held"])
            service.kill()
        service.start()
    service.peer.call("resumeRun", {"runId": run, "detach": True})
    service.peer.call("watchRun", {"runId": run})
    result = service.peer.call("resumeRun", {"runId": run})
    assert result["status"] == "BUDGET_EXHAUSTED"
    print(f"{endpoint.calls} of 100 calls over two kills, {result['usage']['failed']} of them without an answer")
    assert endpoint.calls <= 100, "requests under way at the kill count, too"
    assert endpoint.calls <= result["usage"]["calls"] <= 100
    # The bounds that it had stay where nothing else is said.
    assert service.peer.call("resumeRun", {"runId": run})["status"] == "BUDGET_EXHAUSTED"
    assert service.peer.call("resumeRun", {"runId": run, "budget": {"maxCalls": 1000}})["status"] == "FINISHED"


def test_an_estimate_asks_nothing_and_holds(executable, service, endpoint, tmp_path):
    params = compile_params(endpoint, lm={"cache": False, "price": {"input": 1, "output": 2}})
    estimate = service.peer.call("compile", {**params, "estimate": {"latency": 0.5, "outputTokens": 30}})
    assert endpoint.calls == 0 and service.peer.call("listRuns")["runs"] == []
    assert {phase["name"] for phase in estimate["phases"]} == {"adapter", "baseline", "bootstrap", "propose", "search"}
    result = service.peer.call("compile", params)
    usage = result["usage"]
    assert estimate["calls"]["min"] <= usage["calls"] <= estimate["calls"]["max"]
    for role, figures in usage["byRole"].items():
        assert estimate["byRole"][role]["calls"]["min"] <= figures["calls"] <= estimate["byRole"][role]["calls"]["max"]
    # The endpoint counts four bytes of the whole request as a token, as we do of the prompt.
    assert estimate["inputTokens"]["min"] * 0.8 <= usage["inputTokens"] <= estimate["inputTokens"]["max"] * 1.3
    request = tmp_path / "request.json"
    request.write_text(json.dumps(params))
    shown = subprocess.run(
        [executable, "compile", str(request), "--estimate", "--home", str(tmp_path / "none")], capture_output=True, text=True)
    assert shown.returncode == 0 and "bootstrap" in shown.stdout and "in all" in shown.stdout
