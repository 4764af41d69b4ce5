#!/usr/bin/env python3
"""Hone as the server of MLflow's Python client, beside `mlflow server` on SQLite, in one run.

  HONE=path/to/hone python3 tracking.py [--no-mlflow]

Needs the package mlflow. Every figure is taken through the same client, first with the one server, then with the other.
Rates are per second of wall time, times medians in milliseconds, memory the whole process group's resident set.
"""
import argparse, concurrent.futures, json, os, shutil, socket, statistics, subprocess, sys, tempfile, time, urllib.request

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--no-mlflow", action="store_true")
p.add_argument("--role", help=argparse.SUPPRESS)
a = p.parse_args()


def median(body, times):
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        body()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def measure(uri):
    """Runs in a process of its own, because the client keeps the server it first spoke to."""
    import mlflow
    from mlflow.entities import Metric

    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("benchmark")
    run = client.create_run(experiment).info.run_id
    client.log_metric(run, "first", 0.0)
    figures = {}

    start = time.perf_counter()
    for step in range(200):
        client.log_metric(run, "m", step, step=step)
    figures["log_metric (1/s)"] = 200 / (time.perf_counter() - start)
    batch = [Metric(f"b{i % 10}", i, 1, i) for i in range(1000)]
    figures["log_batch of 1000 metrics (ms)"] = median(lambda: client.log_batch(run, metrics=batch), 5)
    start = time.perf_counter()
    for i in range(200):
        client.create_run(experiment, tags={"i": str(i)})
    figures["create_run (1/s)"] = 200 / (time.perf_counter() - start)

    body = json.dumps({"run_id": run, "key": "p", "value": 1.0, "timestamp": 1}).encode()

    def write(i):
        request = urllib.request.Request(
            f"{uri}/api/2.0/mlflow/runs/log-metric", body.replace(b'"p"', b'"p%d"' % i), {"Content-Type": "application/json"})
        start = time.perf_counter()
        try:
            urllib.request.urlopen(request, timeout=60).read()
            return 1000 * (time.perf_counter() - start), 0
        except OSError:
            return 1000 * (time.perf_counter() - start), 1

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        results = list(pool.map(write, range(640)))
    figures["32 parallel writers, 99th percentile (ms)"] = sorted(r[0] for r in results)[int(0.99 * len(results))]
    figures["32 parallel writers, refused of 640"] = sum(r[1] for r in results)

    mlflow.set_experiment("benchmark")
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    start = time.perf_counter()
    for i in range(60):
        with mlflow.start_span(f"root{i}") as root:
            root.set_inputs({"question": f"What is {i} plus {i}?" * 10})
            for j in range(5):
                with mlflow.start_span(f"child{j}", span_type="LLM") as child:
                    child.set_inputs({"messages": [{"role": "user", "content": "words " * 60}]})
                    child.set_outputs("an answer")
    figures["traces of 6 spans, one after the other (1/s)"] = 60 / (time.perf_counter() - start)
    found = client.search_traces(locations=[experiment], max_results=60, include_spans=False)
    figures["search_traces, page of 60 (ms)"] = median(
        lambda: client.search_traces(locations=[experiment], max_results=60, include_spans=False), 9)
    figures["get_trace (ms)"] = median(lambda: client.get_trace(found[0].info.trace_id), 15)
    figures["search_runs, 200 runs (ms)"] = median(lambda: client.search_runs([experiment], max_results=200), 9)
    print("FIGURES " + json.dumps(figures))


def memory(group):
    """MiB of all processes of a group, and how many they are."""
    total, count = 0, 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getpgid(int(entry)) == group:
                with open(f"/proc/{entry}/status") as status:
                    total += next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
                count += 1
        except (OSError, StopIteration):
            pass
    return total / 1024, count


def serve(command, port, directory):
    uri, start = f"http://127.0.0.1:{port}", time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        while True:
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=5).read()
                break
            except OSError:
                time.sleep(0.002)
        figures = {"start to ready (s)": time.perf_counter() - start}
        time.sleep(3)
        figures["idle memory (MiB)"], figures["processes"] = memory(process.pid)
        out = subprocess.run([sys.executable, __file__, "--role", uri], capture_output=True, text=True)
        line = next((line for line in out.stdout.splitlines() if line.startswith("FIGURES ")), None)
        if not line:
            sys.exit(out.stderr[-2000:])
        figures.update(json.loads(line[8:]))
        return figures
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def main():
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    work, port, columns = tempfile.mkdtemp(), free_port(), {}
    columns["Hone"] = serve([os.environ["HONE"], "ui", "--port", str(port), "--home", os.path.join(work, "hone")], port, work)
    if not a.no_mlflow:
        port = free_port()
        columns["MLflow"] = serve(
            [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1", "--backend-store-uri",
             f"sqlite:///{work}/mlflow.db", "--artifacts-destination", f"{work}/artifacts"], port, work)
    shutil.rmtree(work, ignore_errors=True)
    width = max(map(len, columns["Hone"]))
    print(f"{'':{width}}" + "".join(f"{name:>12}" for name in columns))
    for name in columns["Hone"]:
        print(f"{name:{width}}" + "".join(f"{column[name]:12.2f}" for column in columns.values()))


if __name__ == "__main__":
    if a.role:
        measure(a.role)
    elif "HONE" not in os.environ:
        sys.exit("set HONE; see --help")
    else:
        main()
