"""The page in a real browser: the tutorial's six steps, every view, the keyboard, hostile text, large traces."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from browser import Visit, chromium, serving
from page_store import HOSTILE, WORDS, endpoint, log_family, search, section, send_large_trace

PAGE = Path(__file__).resolve().parents[2] / "Sources" / "WebAssets" / "page"
CLIENT = Path(__file__).resolve().parents[2] / "Clients" / "python"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def store(browser, executable, tmp_path_factory):
    """A store with two searches and an evaluation full of hostile text."""
    import hone

    home = tmp_path_factory.mktemp("page")
    hostile = section("reasoning", HOSTILE) + section("answer", HOSTILE) + "[[ ## completed ## ]]\n"
    with endpoint(lambda messages: hostile) as url, hone.Client.start(home, executable=executable) as client:
        first = search(client)
        second = search(client, seed=2)
        evil = client.evaluate(
            "question -> answer", [{"question": HOSTILE, "answer": HOSTILE}, {"question": "2 + 2?", "answer": "4"}],
            "exact_match", lm={"model": "openai/x", "apiBase": url, "apiKeyEnv": "PATH", "retries": 0},
            experiment="<b>hostile</b>", run_name="<img src=x onerror=alert(1)>", tags={"<i>tag</i>": HOSTILE})
    return {"home": home, "first": first, "second": second, "evil": evil}


@pytest.fixture(scope="module")
def address(store, executable):
    with serving(executable, store["home"]) as address:
        yield address


@pytest.fixture
def visit(browser, address):
    visit = Visit(browser, address)
    yield visit
    visit.close()


def rpc(address, method, **params):
    request = urllib.request.Request(
        f"{address}/rpc", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        answer = json.load(reply)
    assert "error" not in answer, answer
    return answer["result"]


def best_of(result):
    return result["bestRunId"]


def a_trace(address, run):
    return rpc(address, "listTraces", runId=run, maxResults=1)["traces"][0]["traceId"]


def views(store, address):
    run, best = store["first"]["runId"], best_of(store["first"])
    both = f"{run},{store['second']['runId']}"
    return {
        "experiments": "", "runs": "experiments/1", "experiment traces": "experiments/1/traces", "search": f"runs/{run}",
        "grid": f"runs/{run}/grid", "program": f"runs/{run}/program", "data": f"runs/{run}/data",
        "values": f"runs/{run}/values", "traces": f"runs/{run}/traces", "files": f"runs/{run}/files",
        "retrieve": f"runs/{run}/retrieve", "candidate": f"runs/{best}", "examples": f"runs/{best}/examples",
        "trace": f"traces/{a_trace(address, best)}", "compare": f"compare?runs={both}",
        "compared programs": f"compare/programs?runs={both}", "compared examples": f"compare/examples?runs={both}",
        "no such run": "runs/ffffffffffffffffffffffffffffffff", "nowhere": "nowhere",
    }


def test_every_file_is_part_of_the_command(address):
    for path in PAGE.rglob("*"):
        if path.is_file():
            with urllib.request.urlopen(f"{address}/{path.relative_to(PAGE)}", timeout=20) as reply:
                assert reply.read() == path.read_bytes(), f"{path.name} is not embedded as it is"


class TestTheTutorialsSteps:
    def test_the_address_shows_the_experiments(self, visit, address):
        page = visit.page
        page.goto(address)
        page.get_by_role("link", name="DSPy-Optimization").click()
        page.get_by_role("heading", name="DSPy-Optimization").wait_for()

    def test_an_experiment_is_a_tree_of_parents_and_children(self, visit, store):
        page = visit.open("experiments/1")
        tree = page.get_by_role("treegrid")
        parents = tree.locator('tr[aria-level="1"]')
        parents.first.wait_for()
        assert parents.count() == 2
        children = tree.locator('tr[aria-level="2"]')
        assert children.count() == len(store["second"]["trials"]), "the latest search is open at first"
        page.get_by_role("button", name="Close").click()
        assert children.count() == 0
        parents.nth(1).get_by_role("button", name="Open").click()
        children.first.wait_for()
        assert children.count() == len(store["first"]["trials"])
        assert "best" in tree.locator(f'tr[data-id="{best_of(store["first"])}"]').inner_text()

    def test_the_parent_run_shows_the_whole_search(self, visit, store, address):
        result = store["first"]
        # Trials start at once, in any order: each says its place.
        children = rpc(address, "listRuns", parentRunId=result["runId"], maxResults=100)["runs"]
        places = {child["runId"]: child["tags"]["hone.trial"] for child in children}
        assert places == {trial["runId"]: str(trial["number"]) for trial in result["trials"]}
        page = visit.open("experiments/1")
        page.locator(f'tr[data-id="{result["runId"]}"] a').click()
        figures = page.get_by_label("Key figures")
        figures.get_by_text(f"{result['score']:.2f}", exact=True).wait_for()
        assert f"{result['baselineScore']:.2f}" in figures.inner_text()
        points = page.locator(".chart-box .point")
        assert points.count() == len(result["trials"])
        assert page.locator(".chart-box .point.mini").count() == sum(t["kind"] == "eval_minibatch" for t in result["trials"])
        assert page.locator(".chart-box .point .range").count() == len(result["trials"])
        # The points mean what the trials say, in their order.
        words = [point.get_attribute("aria-label") for point in points.all()]
        for trial, label in zip(result["trials"], words):
            assert trial["name"] in label and f"{trial['score']:.2f}" in label
        gain = page.locator("section", has_text="Is the gain real?")
        comparison = result["comparison"]
        gain.get_by_text("points", exact=False).first.wait_for()
        assert f"better on {comparison['wins']} and worse on {comparison['losses']}" in gain.inner_text()
        spending = page.locator("section", has_text="Where the work went")
        assert "Writing instructions" in spending.inner_text() and "The program" in spending.inner_text()

        page.get_by_role("button", name="Calls", exact=True).click()
        assert "Calls made so far" in page.locator(".chart-box").inner_text()
        assert "x=calls" in page.url

    def test_the_parent_run_has_parameters_program_and_data(self, visit, store):
        page = visit.open(f"runs/{store['first']['runId']}")
        page.get_by_role("tab", name="Parameters").click()
        values = page.locator(".values-body")
        for name, value in [("optimizer", "MIPROv2"), ("auto", "light"), ("metric", "numeric_match"), ("seed", "1")]:
            assert values.get_by_role("row", name=f"{name} {value}", exact=True).count() == 1
        page.get_by_role("tab", name="Program").click()
        page.locator(".predictor").wait_for()
        state = store["first"]["program"]["predict"]
        shown = page.locator(".predictor").inner_text()
        assert state["demos"][0]["question"] in shown
        assert "".join(page.locator(".sides section").nth(1).locator(".diff").all_inner_texts()) == state["signature"]["instructions"]
        page.get_by_role("tab", name="Data").click()
        page.get_by_role("table", name="Training data").wait_for()
        assert "120 rows" in page.locator(".tab-panel").inner_text() and "80 rows" in page.locator(".tab-panel").inner_text()

    def test_a_child_run_shows_its_program_and_traces(self, visit, store, address):
        best = best_of(store["first"])
        page = visit.open(f"experiments/1?filter=attributes.run_id%20%3D%20%27{best}%27")
        page.locator(f'tr[data-id="{best}"] a').click()
        page.locator(".predictor .diff ins").first.wait_for()
        assert page.locator(".demo").count() >= 1
        page.get_by_role("tab", name="Files").click()
        page.get_by_text("\"instructions\"").wait_for()
        page.get_by_role("tab", name="Parameters").click()
        assert "signature.instructions" in page.locator(".values-body").inner_text()
        page.get_by_role("tab", name="Traces").click()
        page.locator("a.trace-row").first.click()
        tree = page.get_by_role("tree", name="Spans")
        tree.wait_for()
        assert [item.get_attribute("aria-label").split(",")[0] for item in tree.get_by_role("treeitem").all()] == [
            "ChainOfThought.forward", "Predict.forward", "ChatAdapter.format", "LM.__call__", "ChatAdapter.parse"]
        tree.get_by_role("treeitem", name="LM.__call__").click()
        chat = page.locator(".chat").first
        chat.wait_for()
        assert "System" in chat.inner_text() and page.locator(".message.answer").count() == 1

    def test_the_program_is_got_back_with_the_lines_shown(self, visit, store, executable, tmp_path):
        page = visit.open(f"runs/{store['first']['runId']}/retrieve")
        page.locator("pre.code").first.wait_for()
        lines = {card.locator("h2").inner_text(): card.locator("pre").inner_text() for card in page.locator(".card:has(pre.code)").all()}
        environment = {**os.environ, "PATH": f"{Path(executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(CLIENT), "HONE": str(executable)}
        question = "What is 12 percent of 250?"
        shell = lines["Shell"].replace("…", question)
        assert subprocess.run(shell, shell=True, env=environment, capture_output=True, text=True, timeout=60).stdout.strip()
        script = tmp_path / "back.py"
        script.write_text(lines["Python"].replace("…", question))
        ran = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=60)
        assert "answer" in ran.stdout, ran.stderr
        served = subprocess.run(
            [executable, "serve", "--home", str(store["home"])], input=lines["JSON-RPC"] + "\n", capture_output=True, text=True, timeout=60)
        assert json.loads(served.stdout)["result"]["state"] == store["first"]["program"]
        card = page.locator(".card", has_text="Shell").first
        card.get_by_role("button", name="Copy").click()
        card.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == lines["Shell"]


class TestRuns:
    def test_a_word_searches_and_a_filter_filters(self, visit, store):
        page = visit.open("experiments/1")
        line = page.get_by_role("combobox")
        line.fill("eval_full")
        line.press("Enter")
        page.get_by_text("matching runs").wait_for()
        names = page.locator("tr:not(.context) td.name a").all_inner_texts()
        assert names and all(name.startswith("eval_full") for name in names)
        assert page.locator("tr.context").count() == 2, "their parents come along"
        line.fill(f"metrics.score > {min(store['first']['score'], store['second']['score'])}")
        line.press("Enter")
        page.get_by_text("1 matching run").wait_for()
        line.fill("metrics.score > ")
        line.press("Enter")
        page.get_by_role("alert").get_by_text("filter, at character").wait_for()
        page.get_by_role("button", name="Clear the search").click()
        page.get_by_text("2 runs").wait_for()

    def test_completion_knows_fields_operators_and_values(self, visit):
        page = visit.open("experiments/1")
        line = page.get_by_role("combobox")
        line.press_sequentially("metrics.baseline")
        page.get_by_role("option", name="metrics.baseline_score").wait_for()
        line.press("ArrowDown")
        line.press("Enter")
        page.get_by_role("option", name=">=").wait_for()
        assert line.input_value() == "metrics.baseline_score "
        line.fill("status = ")
        page.get_by_role("option", name="'FINISHED'").click()
        line.press("Enter")
        page.get_by_text("matching runs").wait_for()
        assert line.input_value().strip() == "status = 'FINISHED'"

    def test_columns_are_chosen_and_remembered(self, visit):
        page = visit.open("experiments/1")
        page.get_by_role("button", name="Columns").click()
        page.get_by_role("searchbox", name="Find a column").fill("minibatch_size")
        page.get_by_role("checkbox", name="minibatch_size").check()
        page.get_by_role("button", name="Apply").click()
        page.get_by_role("columnheader", name="minibatch_size").wait_for()
        page.reload()
        page.get_by_role("columnheader", name="minibatch_size").wait_for()
        assert "35" in page.locator('tr[aria-level="1"]').first.inner_text()

    def test_headers_sort(self, visit, store):
        page = visit.open("experiments/1")
        scores = sorted([store["first"]["score"], store["second"]["score"]])

        def first():
            return page.locator('tr[aria-level="1"]').first.locator("td").nth(3).inner_text()

        page.get_by_role("button", name="Score", exact=True).click()
        page.locator('th[aria-sort="descending"]').wait_for()
        page.wait_for_function("value => document.querySelector('tr[aria-level=\"1\"]').children[3].innerText === value", arg=f"{scores[1]:.2f}")
        page.get_by_role("button", name="Score", exact=True).click()
        page.wait_for_function("value => document.querySelector('tr[aria-level=\"1\"]').children[3].innerText === value", arg=f"{scores[0]:.2f}")
        assert first() == f"{scores[0]:.2f}" and "sort=score" in page.url

    def test_a_run_is_renamed_noted_and_tagged(self, visit, store, address):
        run = store["second"]["runId"]
        page = visit.open(f"runs/{run}")
        page.get_by_role("button", name="Rename").click()
        page.get_by_label("Name", exact=True).fill("the <second> one")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("heading", name="the <second> one").wait_for()
        page.get_by_role("button", name="Note").click()
        page.get_by_label("A note about this run").fill("Worth keeping.\nOr not.")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Worth keeping.").wait_for()
        page.get_by_role("button", name="Add", exact=True).first.click()
        page.get_by_label("Name, or name: value").fill("keep: yes")
        page.get_by_role("dialog").get_by_role("button", name="Add").click()
        page.get_by_role("button", name="Remove the tag keep").wait_for()
        tags = rpc(address, "getRun", runId=run)["run"]["tags"]
        assert tags["mlflow.note.content"] == "Worth keeping.\nOr not." and tags["keep"] == "yes"
        page.get_by_role("button", name="Remove the tag keep").click()
        page.get_by_role("button", name="Remove the tag keep").wait_for(state="detached")
        assert "keep" not in rpc(address, "getRun", runId=run)["run"]["tags"]
        assert rpc(address, "getRun", runId=run)["run"]["name"] == "the <second> one"

    def test_runs_are_deleted_and_restored(self, visit, store, address):
        run = store["second"]["runId"]
        page = visit.open("experiments/1")
        row = page.locator(f'tr[data-id="{run}"]')
        row.get_by_role("checkbox").check()
        page.get_by_role("button", name="Delete", exact=True).click()
        row.wait_for(state="detached")
        assert rpc(address, "getRun", runId=run)["run"]["lifecycleStage"] == "deleted"
        page.get_by_role("button", name="Deleted", exact=True).click()
        row.get_by_role("checkbox").check()
        page.get_by_role("button", name="Restore").click()
        page.get_by_text("No deleted runs").wait_for()
        page.get_by_role("button", name="Active", exact=True).click()
        row.wait_for()
        assert "lifecycleStage" not in rpc(address, "getRun", runId=run)["run"]

    def test_a_run_of_another_process_grows_while_it_is_watched(self, visit, store, executable):
        # Answers for a few candidates, then for a few more: the run is under way for as long as the page needs.
        answers = threading.Semaphore(450)

        def reply(messages):
            answers.acquire(timeout=300)
            return section("reasoning", "I count.") + section("answer", "7") + "[[ ## completed ## ]]\n"

        page = visit.open("experiments/1")
        page.locator("tr[data-id]").first.wait_for()
        before = page.locator('tr[aria-level="1"]').count()
        with endpoint(reply) as url:
            process = subprocess.Popen(
                [executable, "compile", "--home", str(store["home"]), "--program", "question -> answer", "--optimizer",
                 "BootstrapFewShotWithRandomSearch", "--trainset", "word-problems:train", "--valset", "word-problems:val",
                 "--metric", "numeric_match", "--lm", "openai/x", "--api-base", url, "--experiment", "DSPy-Optimization", "--concurrency", "4"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OPENAI_API_KEY": "none"})
            try:
                row = page.locator('tr[aria-level="1"]', has_text="Running")
                row.wait_for()
                assert page.locator('tr[aria-level="1"]').count() == before + 1
                row.locator("a").click()
                page.get_by_text("Running").first.wait_for()
                page.locator(".chart-box .point").first.wait_for()
                seen = page.locator(".chart-box .point").count()
                answers.release(450)
                page.wait_for_function("seen => document.querySelectorAll('.chart-box .point').length > seen", arg=seen)
            finally:
                process.terminate()
                process.wait(timeout=30)
            # Ended before its time, it says how it goes on.
            page.locator(".notice", has_text="hone resume").wait_for()


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082")


@pytest.fixture(scope="module")
def logged(address):
    """A run with another below it, as an MLflow client logs them."""
    def ask(path, **body):
        request = urllib.request.Request(
            f"{address}/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)

    experiment = ask("experiments/create", name="others")["experiment_id"]

    def run(name, **tags):
        return ask("runs/create", experiment_id=experiment, run_name=name, start_time=1_700_000_000_000,
                   tags=[{"key": f"mlflow.{key}", "value": value} for key, value in tags.items()])["run"]["info"]["run_id"]

    parent = run("a sweep")
    child = run("one of it", parentRunId=parent)
    ask("runs/log-batch", run_id=child, params=[{"key": "rate", "value": "0.1"}], metrics=[
        {"key": "loss", "value": 1 / (step + 1), "step": step, "timestamp": 1_700_000_000_000 + step} for step in range(10)])
    upload = urllib.request.Request(
        f"{address}/api/2.0/mlflow-artifacts/artifacts/{experiment}/{child}/artifacts/{'long-' * 30}picture.png", PIXEL,
        method="PUT")
    urllib.request.urlopen(upload, timeout=20).close()
    for one in (child, parent):
        ask("runs/update", run_id=one, status="FINISHED", end_time=1_700_000_001_000)
    return {"experiment": experiment, "parent": parent, "child": child}


@pytest.fixture(scope="module")
def family(address):
    return log_family(address)


class TestWhereCandidatesCameFrom:
    def tree(self, page):
        tree = page.get_by_role("list", name="Candidates by descent")
        tree.wait_for()
        return tree

    def test_the_kept_are_a_tree_and_the_dropped_fold_out_with_their_reasons(self, visit, family):
        page = visit.open(f"runs/{family}")
        tree = self.tree(page)
        assert page.get_by_text("A summary of the search.").is_visible()
        numbers = tree.locator("li.family-kept > .family-node .family-number").all_inner_texts()
        assert numbers == ["0", "2", "4", "5"]
        # Three lines of descent, and one to the second parent.
        assert page.locator(".family-lines path").count() == 4 and page.locator(".family-lines path.other").count() == 1
        assert page.locator(".family-lines path.trunk").count() == 2
        assert "+6.0 on 41 rows" in tree.inner_text() and "not ahead after 40 rows" not in tree.inner_text()
        fold = tree.locator("li[data-number='2'] .family-fold")
        assert fold.inner_text() == "1 dropped" and fold.get_attribute("aria-expanded") == "false"
        fold.focus()
        page.keyboard.press("Enter")
        assert "not ahead after 40 rows" in tree.inner_text() and "behind after 20 rows" not in tree.inner_text()

    def test_who_lost_a_race_is_not_the_best(self, browser, executable, tmp_path):
        import hone

        with hone.Client.start(tmp_path, executable=executable) as client:
            result = client.compile("question -> answer", "GEPA", "word-problems:train", "numeric_match",
                                    valset="word-problems:val", lm="simulated")
        best = next(trial for trial in result["trials"] if trial.get("runId") == result["bestRunId"])
        lost = [trial for trial in result["trials"] if trial["coordinates"].get("dropped")]
        # Ahead on the rows that it was asked, but these were the easy ones: its parent did better there.
        assert any(trial["score"] > best["score"] for trial in lost)
        with serving(executable, tmp_path) as address:
            visit = Visit(browser, address)
            page = visit.open(f"runs/{result['runId']}")
            page.locator("tr.is-best").wait_for()
            assert best["name"] in page.locator("tr.is-best").inner_text()
            visit.close()

    def test_a_candidate_shows_what_is_different_from_its_parent(self, visit, family):
        page = visit.open(f"runs/{family}")
        tree = self.tree(page)
        detail = page.get_by_label("The selected candidate")
        detail.get_by_role("heading", name="Candidate 5", level=3, exact=True).wait_for()
        assert detail.locator(".best").count() == 1, "the best is shown first"
        detail.locator(".predictor").wait_for()
        assert detail.locator("del").all_inner_texts()[-1] == "2" and detail.locator("ins").all_inner_texts()[-1] == "5"
        detail.get_by_role("button", name="candidate 4", exact=True).click()
        page.wait_for_function("() => [...document.querySelectorAll('.family-detail del')].at(-1)?.innerText === '4'")
        # By keyboard: up to number 4, unfold what was dropped above it, and open that.
        tree.locator(".family-node[data-key='5']").focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        detail.get_by_role("heading", name="Candidate 4", level=3, exact=True).wait_for()
        tree.locator(".family-node[data-key='0']").focus()
        page.keyboard.press("ArrowRight")
        for _ in range(2):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        detail.get_by_role("heading", name="Candidate 1", level=3, exact=True).wait_for()
        detail.locator(".predictor").wait_for()
        words = detail.inner_text()
        assert "behind after 20 rows" in words and "\u22124.0 on 20 rows" in words and "dropped" in words
        assert detail.get_by_text("removed").count() == 1 and detail.get_by_text("added").count() == 1
        # Its address leads to it again, unfolded.
        assert "candidate=1" in page.url
        page.reload()
        detail.get_by_role("heading", name="Candidate 1", level=3, exact=True).wait_for()
        assert tree.locator(".family-node[data-key='1']").is_visible()

    def test_what_is_said_of_candidates_is_text(self, visit, address):
        page = visit.open(f"runs/{log_family(address, HOSTILE)}")
        self.tree(page)
        page.locator(".family-detail .predictor").wait_for()
        page.locator(".family-fold").first.click()
        assert page.title().startswith("a family")
        assert page.locator("main script, main img, main style").count() == 0
        assert page.locator(".family-detail").get_by_text("<script>").count() >= 1
        assert "\u202e" not in page.locator("main").inner_text()

    def test_many_probes_are_a_curve(self, browser, executable, tmp_path):
        import hone

        answer = section("reasoning", "I count.") + section("answer", "7") + "[[ ## completed ## ]]\n"
        with endpoint(lambda messages: answer) as url, hone.Client.start(tmp_path, executable=executable) as client:
            found = client.compile(
                "question -> answer", {"name": "auto"}, WORDS, "numeric_match", valset={"name": "word-problems", "split": "val"},
                lm={"model": "openai/x", "apiBase": url, "apiKeyEnv": "PATH", "retries": 0}, budget={"maxCalls": 400}, seed=1)
        probes = {trial["candidate"]["number"] for trial in found["trials"] if trial["candidate"]["verdict"] == "probe"}
        kept = {trial["candidate"]["number"] for trial in found["trials"] if trial["candidate"]["verdict"] == "kept"}
        assert len(found["trials"]) > 40 and found["summary"]
        with serving(executable, tmp_path) as address:
            visit = Visit(browser, address)
            page = visit.open(f"runs/{found['runId']}")
            tree = self.tree(page)
            assert page.get_by_text(found["summary"]).is_visible()
            assert tree.locator(".family-node:not(.family-probes)").count() == len(kept)
            bundle = tree.locator(".family-probes")
            assert bundle.count() == 1 and f"{len(probes - kept)} probes" in bundle.inner_text()
            assert bundle.locator("path.estimates").count() == 1
            # Neither the chart nor the table has one place for each.
            assert page.locator(".chart-box .point").count() == sum(trial["candidate"]["verdict"] == "kept" for trial in found["trials"])
            assert page.locator(".chart-box .estimate-line").count() == 1
            table = page.get_by_role("region", name="Candidates", exact=True)
            rows = table.locator("tbody tr").count()
            assert rows <= 20
            table.get_by_role("button", name=f"Show all {len(found['trials'])}").click()
            assert table.locator("tbody tr").count() == len(found["trials"])
            bundle.click()
            detail = page.get_by_label("The selected candidate")
            detail.locator("svg.probe-curve").first.wait_for()
            top = detail.locator(".family-top button")
            assert top.count() == min(10, len(probes - kept))
            name = top.first.inner_text()
            top.first.click()
            detail.get_by_role("heading", name=name, level=3, exact=True).wait_for()
            detail.locator(".predictor").first.wait_for()
            visit.close()


def test_a_search_says_how_much_of_its_bill_nobody_counted(browser, executable, tmp_path):
    import hone

    lost = []

    def reply(messages):
        if not lost:
            lost.append(1)
            raise BrokenPipeError("the connection is gone before the answer")
        return section("reasoning", "r") + section("answer", "4") + "[[ ## completed ## ]]\n"

    rows = [{"question": f"{n} + 1?", "answer": "4"} for n in range(3)]
    with endpoint(reply) as url, hone.Client.start(tmp_path / "home", executable=executable) as client:
        result = client.compile(
            "question -> answer", "LabeledFewShot", rows, "exact_match", valset=rows, concurrency=1,
            lm={"model": "m", "apiBase": url, "maxTokens": 100})
    estimated = result["usage"]["estimated"]
    assert estimated["requests"] == 1
    with serving(executable, tmp_path / "home") as address:
        visit = Visit(browser, address)
        page = visit.open(f"runs/{result['runId']}")
        words = f"at most {estimated['tokens']} tokens for 1 request that nobody counted"
        page.locator("section", has_text="Where the work went").get_by_text(words).wait_for()
        visit.close()


class TestRunsOfOthers:
    """Runs that an MLflow client logged, with no optimization about them."""

    def test_the_list_has_their_metrics_and_no_empty_columns(self, visit, logged):
        page = visit.open(f"experiments/{logged['experiment']}")
        page.locator(f'tr[data-id="{logged["child"]}"]').wait_for()
        page.get_by_role("columnheader", name="loss").wait_for()
        assert "1 child" in page.locator(f'tr[data-id="{logged["parent"]}"]').inner_text()
        for name in ("Baseline", "Optimizer", "Cost", "Note"):
            assert page.get_by_role("columnheader", name=name).count() == 0

    def test_their_page_shows_what_was_logged(self, visit, logged):
        page = visit.open(f"runs/{logged['parent']}")
        page.get_by_role("link", name="one of it").click()
        page.get_by_role("heading", name="one of it").wait_for()
        page.get_by_role("img", name="loss: 10 values, from 1 to 0.1000").wait_for()
        assert "0.1" in page.get_by_role("row", name="rate").inner_text()
        assert page.get_by_role("tab").all_inner_texts() == ["Parameters and metrics", "Data", "Traces", "Files"]

    @pytest.mark.parametrize("width", [1440, 390])
    def test_a_picture_is_shown_whatever_its_name(self, browser, address, logged, width):
        visit = Visit(browser, address, width=width)
        page = visit.open(f"runs/{logged['child']}/files")
        page.wait_for_function("document.querySelector('img.picture')?.naturalWidth === 1")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        visit.close()


class TestCandidates:
    def test_the_grid_shows_what_each_fixed_and_broke(self, visit, store, address):
        result = store["first"]
        page = visit.open(f"runs/{result['runId']}/grid")
        grid = page.get_by_role("grid")
        grid.wait_for()
        baseline = result["trials"][0]["runId"]
        best = best_of(result)
        compared = rpc(address, "compareRuns", runIds=[baseline, best])["comparisons"][0]
        line = grid.locator("tbody tr.is-best")
        assert line.locator(".cell.fixed").count() == len(compared["fixed"]) > 0
        assert line.locator(".cell.broken").count() == len(compared["broken"])
        assert [int(cell.get_attribute("data-row")) for cell in line.locator(".cell.fixed").all()] == compared["fixed"]
        page.get_by_role("button", name="Fixed or broken").click()
        assert "rows=changed" in page.url
        line.locator("a.cell.fixed").first.click()
        page.get_by_role("tree", name="Spans").wait_for()
        trace = page.url.split("/")[-1].split("?")[0]
        info = rpc(address, "getTrace", traceId=trace)["info"]
        assert info["runId"] == best and info["metadata"]["row"] == compared["fixed"][0]

    def test_the_cells_are_walked_with_the_keyboard(self, visit, store):
        page = visit.open(f"runs/{store['first']['runId']}/grid")
        page.get_by_role("grid").wait_for()
        page.locator("a.cell").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        focused = page.evaluate("[document.activeElement.dataset.row, document.activeElement.dataset.at]")
        assert focused[1] != "0" and int(focused[0]) >= 1
        page.keyboard.press("Enter")
        page.get_by_role("tree", name="Spans").wait_for()

    def test_examples_are_filtered_against_any_candidate(self, visit, store, address):
        result = store["first"]
        best, baseline = best_of(result), result["trials"][0]["runId"]
        page = visit.open(f"runs/{best}/examples")
        page.locator("a.example-row").first.wait_for()
        page.get_by_role("button", name="Fixed", exact=True).click()
        compared = rpc(address, "compareRuns", runIds=[baseline, best])["comparisons"][0]
        rows = page.locator("a.example-row")
        assert [int(row.locator("span").first.inner_text()) for row in rows.all()][:10] == compared["fixed"][:10]
        page.get_by_label("Compare with").first.select_option(index=1)
        page.wait_for_url("**against=**")

    def test_rows_of_other_data_are_not_laid_beside(self, visit, store):
        page = visit.open(f"compare/examples?runs={store['first']['runId']},{store['evil']['runId']}")
        page.get_by_text("They have no rows in common").wait_for()
        assert page.get_by_role("grid").count() == 0

    def test_runs_are_compared_side_by_side(self, visit, store):
        page = visit.open("experiments/1")
        for run in (store["first"]["runId"], store["second"]["runId"]):
            page.locator(f'tr[data-id="{run}"]').get_by_role("checkbox").check()
        page.get_by_role("button", name="Compare").click()
        page.get_by_role("heading", name="Compare 2 runs").wait_for()
        page.get_by_label("Only differences").check()
        parameters = page.get_by_label("Parameters", exact=True)
        assert "seed" in parameters.inner_text() and "optimizer" not in parameters.inner_text()
        page.get_by_role("tab", name="Programs").click()
        page.locator(".predictor").first.wait_for()
        page.get_by_role("tab", name="Examples").click()
        page.get_by_role("grid").wait_for()
        assert page.locator(".verdict-card").count() == 1


class TestTraces:
    def test_the_tree_is_walked_with_the_keyboard(self, visit, store, address):
        page = visit.open(f"traces/{a_trace(address, best_of(store['first']))}")
        tree = page.get_by_role("tree")
        tree.focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        page.get_by_role("heading", name="LM.__call__").wait_for()
        assert tree.get_by_role("treeitem", selected=True).get_attribute("aria-label").startswith("LM.__call__")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert tree.get_by_role("treeitem").count() == 2, "what is below Predict.forward is folded away"
        page.get_by_role("button", name="Raw JSON").click()
        page.get_by_text('"parentId"').wait_for()

    def test_the_times_are_stretched_over_one_span(self, visit, store, address):
        trace = a_trace(address, best_of(store["first"]))
        spans = rpc(address, "getTrace", traceId=trace)["spans"]
        model = next(span for span in spans if span["name"] == "LM.__call__")
        page = visit.open(f"traces/{trace}")
        widths = "[...document.querySelectorAll('.span-row .time-bar')].map((bar) => bar.style.width)"
        page.get_by_role("treeitem", name="LM.__call__").click()
        before = page.evaluate(widths)
        page.keyboard.press("z")
        page.get_by_role("button", name="Whole trace").wait_for()
        assert f"zoom={model['id']}" in page.url
        row = page.get_by_role("treeitem", name="LM.__call__").locator(".time-bar")
        assert row.evaluate("(bar) => [bar.style.left, bar.style.width]") == ["0%", "100%"]
        page.reload()
        page.get_by_role("button", name="Whole trace").wait_for()
        page.get_by_role("treeitem", name="LM.__call__").locator(".time-line").click()
        page.get_by_role("button", name="Whole trace").wait_for(state="hidden")
        page.keyboard.press("z")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Whole trace").wait_for(state="hidden")
        assert page.evaluate(widths) == before and "zoom" not in page.url

    def test_a_person_adds_an_assessment(self, visit, store, address):
        trace = a_trace(address, best_of(store["second"]))
        page = visit.open(f"traces/{trace}")
        page.get_by_label("What", exact=True).fill("clear")
        page.get_by_label("Value", exact=True).select_option("false")
        page.get_by_label("Why", exact=True).fill("It <b>rambles</b>.")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text("It <b>rambles</b>.").wait_for()
        added = rpc(address, "getTrace", traceId=trace)["info"]["assessments"][-1]
        assert (added["name"], added["value"], added["sourceType"]) == ("clear", False, "HUMAN")

    def test_thirty_thousand_spans_are_there_at_once(self, visit, address):
        page = visit.open(f"traces/{send_large_trace(address, error_at=21_003)}")
        page.get_by_text("30,000 spans", exact=True).wait_for(timeout=60_000)
        rows = page.get_by_role("treeitem")
        assert 10 < rows.count() < 200, "only what is in sight exists"
        page.get_by_role("tree").focus()
        page.keyboard.press("End")
        page.get_by_role("heading", name="step 29999").wait_for()
        page.keyboard.press("e")
        page.get_by_role("heading", name="step 21003").wait_for()
        page.get_by_text("the tool is out of order").first.wait_for()
        page.get_by_role("searchbox").fill("step 12345")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="step 12345").wait_for()
        assert page.get_by_role("treeitem").count() < 200


def test_hostile_text_is_text(visit, store):
    run = store["evil"]["runId"]
    visit.page.goto(f"{visit.address}/#/")
    for place in ("", f"runs/{run}", f"runs/{run}/examples", f"runs/{run}/values", f"runs/{run}/data", f"runs/{run}/files",
                  f"runs/{run}/retrieve", f"runs/{run}/traces", f"traces/{store['evil']['results'][0]['traceId']}"):
        page = visit.open(place)
        page.wait_for_timeout(300)
        assert "broken" not in page.title()
        assert page.evaluate("document.querySelectorAll('main script, main img, main iframe, main style, main b, main i').length") == 0
    page.get_by_role("treeitem", name="LM.__call__").click()
    page.locator(".message.answer").wait_for()
    shown = page.locator(".message.answer").inner_text()
    assert "<script>document.title = 'broken'</script>" in shown
    for sign in ("⟨U+202E⟩", "⟨U+2066⟩", "⟨U+200B⟩", "␛[31m", "␇"):
        assert sign in shown, f"{sign} is to be seen"
    assert "\u202e" not in shown and "\u05e9\u05dc\u05d5\u05dd" in shown, "letters that run from right to left stay"
    page = visit.open("experiments/2")
    assert "<img src=x onerror=alert(1)>" in page.get_by_role("treegrid").inner_text()


def test_shortcuts(visit):
    page = visit.open("experiments/1")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "combobox"
    page.keyboard.press("Escape")
    page.locator('tr[aria-level="1"]').first.focus()
    page.keyboard.press("x")
    page.get_by_text("1 run selected").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("tablist", name="Parts of the run").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.get_by_role("heading", name="Experiments").wait_for()


def test_an_address_can_be_passed_on(visit, browser, address, store):
    page = visit.open(f"runs/{store['first']['runId']}")
    page.get_by_role("tab", name="Examples").click()
    page.get_by_role("grid").wait_for()
    other = Visit(browser, address)
    other.page.goto(page.url)
    other.page.get_by_role("grid").wait_for()
    other.close()


def test_an_empty_store_says_what_to_do(browser, executable, tmp_path):
    with serving(executable, tmp_path / "new") as address:
        visit = Visit(browser, address)
        page = visit.open()
        assert "hone compile" in page.locator("main").inner_text()
        visit.close()


def test_a_lost_service_is_said_and_found_again(browser, executable, store):
    with serving(executable, store["home"]) as address:
        visit = Visit(browser, address)
        visit.open("experiments/1")
    visit.page.get_by_text("Not connected").wait_for()
    visit.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_views_are_accessible_and_fit(browser, address, store, family, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()
    visit = Visit(browser, address, width=width, height=900 if width > 500 else 844, scheme=scheme)
    problems = []
    for name, place in {**views(store, address), "family": f"runs/{family}?candidate=1"}.items():
        page = visit.open(place)
        page.locator(".loading").first.wait_for(state="detached")
        page.wait_for_timeout(250)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            problems.append(f"{name} is wider than the screen")
        for violation in axe.run(page).response["violations"]:
            problems.append(f"{name}: {violation['id']}: {[node['html'][:200] for node in violation['nodes'][:3]]}")
    visit.close()
    assert not problems, "\n".join(problems)
