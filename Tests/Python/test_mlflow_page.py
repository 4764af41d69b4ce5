"""MLflow's own page, from the installed package, over Hone's store: driven in the browser."""

import os

import pytest

from browser import chromium
from tutorial import compile_small
from web import ask, serving

pytest.importorskip("mlflow")


@pytest.fixture(scope="module")
def site(executable, tmp_path_factory):
    """The page's address and the compile that it shows."""
    import hone
    import mlflow

    home = tmp_path_factory.mktemp("page") / "home"
    with hone.Client.start(home, executable=executable) as client:
        result = compile_small(client, experiment="Shown", run_name="the parent")
    package = os.path.dirname(mlflow.__file__)
    with serving(executable, home, "--mlflow-package", package) as url:
        yield url, result


@pytest.fixture(scope="module")
def tab(site):
    """A tab whose script errors, failed requests and requests to others are kept."""
    url, _ = site
    with chromium() as started:
        page = started.new_context(viewport={"width": 1600, "height": 1000}).new_page()
        page.set_default_timeout(30_000)
        page.faults, page.strangers = [], []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda request: page.strangers.append(request.url)
                if not request.url.startswith((url, "data:", "blob:")) else None)
        page.on("response", lambda response: page.faults.append(f"{response.status} {response.url}")
                if response.status >= 400 and not any(part in response.url for part in OPTIONAL) else None)
        page.add_init_script(
            "window.violations = []; addEventListener('securitypolicyviolation',"
            " event => violations.push(event.violatedDirective + ' ' + event.blockedURI))")
        yield page


# What the page asks for and does without: users, an assistant that runs a shell.
OPTIONAL = ("users/current", "assistant/", "telemetry")


def visit(tab, url, place):
    tab.faults.clear()
    tab.goto(f"{url}/#/{place}")
    tab.reload()
    return tab


def untroubled(tab):
    assert tab.faults == [] and tab.strangers == []
    assert tab.evaluate("violations") == []


def test_the_runs_are_a_tree(tab, site):
    url, result = site
    visit(tab, url, f"experiments/{result['experimentId']}/runs")
    tab.get_by_text("the parent", exact=True).first.wait_for()
    assert tab.get_by_text("eval_full_0", exact=True).count() == 0
    tab.locator("[data-testid='expander'], .ag-cell [class*='expander'], .ag-row button").first.click()
    tab.get_by_text("eval_full_0", exact=True).first.wait_for()
    untroubled(tab)


def test_metrics_are_charts(tab, site):
    url, result = site
    visit(tab, url, f"experiments/{result['experimentId']}/runs/{result['runId']}/model-metrics")
    tab.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for()
    assert tab.get_by_text("eval_minibatch").count() > 0
    untroubled(tab)


def test_a_run_has_its_parameters_and_artifacts(tab, site):
    url, result = site
    visit(tab, url, f"experiments/{result['experimentId']}/runs/{result['runId']}")
    tab.get_by_text("num_candidates").first.wait_for()
    visit(tab, url, f"experiments/{result['experimentId']}/runs/{result['runId']}/artifacts/best_model.json")
    tab.get_by_text("dependency_versions").first.wait_for()
    untroubled(tab)


def test_the_traces_of_a_run_carry_its_scores(tab, site):
    url, result = site
    visit(tab, url, f"experiments/{result['experimentId']}/runs/{result['bestRunId']}/traces")
    tab.get_by_text("numeric_match").first.wait_for()
    tab.get_by_text("20 of 20").first.wait_for()
    untroubled(tab)


def test_a_trace_is_a_tree_of_spans(tab, site):
    url, result = site
    found = ask(f"{url}/api/3.0/mlflow/traces/search", {
        "locations": [{"mlflow_experiment": {"experiment_id": result["experimentId"]}}], "max_results": 1})[2]["traces"]
    visit(tab, url, f"experiments/{result['experimentId']}/traces?selectedEvaluationId={found[0]['trace_id']}")
    for name in ("ChatAdapter.format", "LM.__call__", "ChatAdapter.parse"):
        tab.get_by_text(name).first.wait_for()
    tab.get_by_text("LM.__call__").first.click()
    tab.get_by_text("Answer under these headers").first.wait_for()
    tab.get_by_text("Success").first.wait_for()
    untroubled(tab)


def test_the_overview_counts_traces(tab, site):
    url, result = site
    visit(tab, url, f"experiments/{result['experimentId']}/overview/usage")
    total = ask(f"{url}/api/3.0/mlflow/traces/metrics", {
        "experiment_ids": [result["experimentId"]], "view_type": "TRACES", "metric_name": "trace_count",
        "aggregations": [{"aggregation_type": "COUNT"}]})[2]["data_points"][0]["values"]["COUNT"]
    assert total > 20
    tab.get_by_text(str(int(total)), exact=True).first.wait_for()
    untroubled(tab)


def test_the_quality_of_traces_is_charted(tab, site):
    url, result = site
    visit(tab, url, f"experiments/{result['experimentId']}/overview/quality")
    tab.get_by_text("numeric_match").first.wait_for()
    untroubled(tab)
    points = ask(f"{url}/api/3.0/mlflow/traces/metrics", {
        "experiment_ids": [result["experimentId"]], "view_type": "ASSESSMENTS", "metric_name": "assessment_count",
        "aggregations": [{"aggregation_type": "COUNT"}], "filters": ['assessment.type = "feedback"'],
        "dimensions": ["assessment_name"]})[2]["data_points"]
    assert [point["dimensions"]["assessment_name"] for point in points] == ["numeric_match"]


def test_spans_are_counted_by_their_kind(site):
    url, result = site

    def count(*filters):
        points = ask(f"{url}/api/3.0/mlflow/traces/metrics", {
            "experiment_ids": [result["experimentId"]], "view_type": "SPANS", "metric_name": "span_count",
            "aggregations": [{"aggregation_type": "COUNT"}], "filters": list(filters)})[2].get("data_points", [])
        return sum(point["values"]["COUNT"] for point in points)

    assert 0 < count("span.type = 'CHAT_MODEL'") < count()
    assert count('span.type = "TOOL"') == 0


def test_runs_are_compared(tab, site):
    url, result = site
    runs = "[" + ",".join(f'"{trial["runId"]}"' for trial in result["trials"][:2]) + "]"
    visit(tab, url, f"compare-runs?runs={runs}&experiments=[\"{result['experimentId']}\"]")
    tab.get_by_text("Comparing 2 Runs").first.wait_for()
    tab.get_by_text("eval_full_0").first.wait_for()
    untroubled(tab)


def test_nothing_of_the_package_but_the_page_is_served(site):
    url, _ = site
    assert ask(f"{url}/static-files/static/../index.html")[0] == 404
    for path in ("../../../__init__.py", "%2e%2e/%2e%2e/handlers.py", "static/..%2f..%2fhandlers.py", "/etc/passwd", ""):
        assert ask(f"{url}/static-files/{path}")[0] == 404
    status, headers, _ = ask(f"{url}/")
    assert status == 200 and "script-src 'self'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert ask(f"{url}/", headers={"Host": "evil.example"})[0] == 403


def test_without_the_package_it_says_what_to_do(executable, tmp_path):
    import subprocess

    ended = subprocess.run(
        [executable, "ui", "--port", "0", "--home", str(tmp_path / "home"), "--mlflow-package", str(tmp_path)],
        capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "has no web page" in ended.stderr and "Install" in ended.stderr
