#!/usr/bin/env python3
"""What Hone costs beside the model, and beside DSPy: CPU per call, memory, start-up, wall time of a compile.

  HONE=path/to/hone SIMLM=path/to/simlm.py GSM8K=path/to/gsm8k python3 overhead.py [--rows 2000] [--no-dspy]

SIMLM is a simulated model behind an OpenAI-compatible endpoint; it must answer /stats and /reset. GSM8K is a directory
with train.jsonl and test.jsonl. DSPy is measured in the same run where it is installed. CPU is user + system time of the
whole process, start-up subtracted by a run with one row.
"""
import argparse, json, os, random, resource, shutil, socket, subprocess, sys, tempfile, time, urllib.request

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--rows", type=int, default=2000)
p.add_argument("--traces", type=int, default=10000)
p.add_argument("--no-dspy", action="store_true")
p.add_argument("--role", help=argparse.SUPPRESS)
p.add_argument("--port", type=int, help=argparse.SUPPRESS)
p.add_argument("--file", help=argparse.SUPPRESS)
a = p.parse_args()
HONE, SIMLM, GSM8K = (os.environ.get(k) for k in ("HONE", "SIMLM", "GSM8K"))


def rows():
    for name in ("train.jsonl", "test.jsonl"):
        for line in open(os.path.join(GSM8K, name), encoding="utf-8"):
            row = json.loads(line)
            words = row["answer"].split()
            yield {"question": row["question"], "gold_reasoning": " ".join(words[:-2]), "answer": words[-1].replace(",", "")}


def dspy_role():
    """Runs in a process of its own: DSPy's Evaluate, or its MIPROv2, on the endpoint."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
    start = time.time()
    import dspy
    from dspy.datasets.gsm8k import gsm8k_metric
    imported = time.time() - start
    examples = [dspy.Example(**json.loads(line)).with_inputs("question") for line in open(a.file, encoding="utf-8")]
    dspy.configure(lm=dspy.LM("openai/sim", api_key="x", api_base=f"http://127.0.0.1:{a.port}/v1", cache=False))
    program = dspy.ChainOfThought("question -> answer")
    start, cpu = time.time(), time.process_time()
    if a.role == "compile":
        dspy.MIPROv2(metric=gsm8k_metric, auto="light", num_threads=8, seed=1).compile(program, trainset=examples[:100], valset=examples[100:200])
    else:
        dspy.Evaluate(devset=examples, metric=gsm8k_metric, num_threads=8)(program)
    print("ROLE " + json.dumps({"wall": time.time() - start, "cpu": time.process_time() - cpu, "import": imported,
                                "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Endpoint:
    def __init__(self, latency=0):
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, SIMLM, "--port", str(self.port), "--latency-ms", str(latency), "--data", os.path.join(GSM8K, "train.jsonl"),
             "--data", os.path.join(GSM8K, "test.jsonl")], stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.calls()
                break
            except OSError:
                time.sleep(0.05)

    def calls(self):
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats"))["calls"]

    def close(self):
        self.process.kill()
        self.process.wait()


def run(command):
    """Wall seconds, CPU seconds, peak MiB and standard output of a command."""
    start = time.time()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"failed: {' '.join(command)}")
    return time.time() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def evaluate(file, lm, limit, concurrency=16):
    home = tempfile.mkdtemp()
    request = {"program": "question -> answer", "devset": {"path": file, "limit": limit}, "metric": "gsm8k_metric", "lm": lm,
               "concurrency": concurrency, "maxResults": 0}
    with open(os.path.join(home, "request.json"), "w") as f:
        json.dump(request, f)
    try:
        return run([HONE, "evaluate", os.path.join(home, "request.json"), "--home", os.path.join(home, "store"), "--json"])
    finally:
        shutil.rmtree(home)


def first_answer():
    times = []
    for _ in range(9):
        home = tempfile.mkdtemp()
        start = time.time()
        child = subprocess.Popen([HONE, "serve", "--home", home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        child.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"listExperiments"}\n')
        child.stdin.flush()
        child.stdout.readline()
        times.append(time.time() - start)
        child.stdin.close()
        child.wait()
        shutil.rmtree(home)
    return sorted(times)[len(times) // 2]


def peer(role, port, file):
    out = subprocess.run([sys.executable, __file__, "--role", role, "--port", str(port), "--file", file], capture_output=True, text=True).stdout
    return next((json.loads(line[5:]) for line in out.splitlines() if line.startswith("ROLE ")), None)


def main():
    work = tempfile.mkdtemp()
    data = list(rows())
    random.Random(0).shuffle(data)
    table = []
    with_dspy = not a.no_dspy and subprocess.run([sys.executable, "-c", "import dspy"], capture_output=True).returncode == 0

    def file_of(rows, name):
        path = os.path.join(work, name)
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
        return path

    some = file_of(data[:a.rows], "rows.jsonl")
    endpoint = Endpoint()
    http = {"model": "openai/sim", "apiBase": f"http://127.0.0.1:{endpoint.port}/v1"}
    base = evaluate(some, http, 1)[1]
    cpu = evaluate(some, http, a.rows)[1]
    theirs = peer("evaluate", endpoint.port, some) if with_dspy else None
    table.append(("CPU per call over HTTP, traced into SQLite (ms)", 1000 * (cpu - base) / (a.rows - 1), theirs and 1000 * theirs["cpu"] / a.rows))
    endpoint.close()

    many = [dict(r, question=f"{r['question']} ({i})") for i in range(2) for r in data][:a.traces]
    big = file_of(many, "many.jsonl")
    base = evaluate(big, "simulated", 1)[1]
    _, cpu, rss, _ = evaluate(big, "simulated", a.traces)
    table.append(("CPU per call, embedded model, traced (ms)", 1000 * (cpu - base) / (a.traces - 1), None))
    table.append((f"peak memory, {a.traces} traced examples (MiB)", rss, theirs and theirs["rss"]))
    table.append(("start to first answer (ms)", 1000 * first_answer(), theirs and 1000 * theirs["import"]))

    endpoint = Endpoint(latency=100)
    small = file_of(data[:200], "small.jsonl")
    home = tempfile.mkdtemp()
    wall = run([HONE, "compile", "--program", "question -> answer", "--optimizer", "MIPROv2", "--auto", "light", "--seed", "1",
                "--trainset", json.dumps({"path": small, "limit": 100}), "--valset", json.dumps({"path": small, "offset": 100, "limit": 100}),
                "--metric", "gsm8k_metric", "--lm", "openai/sim", "--api-base", f"http://127.0.0.1:{endpoint.port}/v1", "--home", home])[0]
    calls = endpoint.calls()
    shutil.rmtree(home)
    their_ratio = None
    if with_dspy:
        before = endpoint.calls()
        compiled = peer("compile", endpoint.port, small)
        their_ratio = compiled and compiled["wall"] / ((endpoint.calls() - before) * 0.1 / 8)
    endpoint.close()
    table.append((f"compile at 100 ms latency, 8 at once: wall / ideal ({calls} calls)", wall / (calls * 0.1 / 8), their_ratio))
    shutil.rmtree(work)

    width = max(len(t[0]) for t in table)
    print(f"{'':{width}}  {'Hone':>9}  {'DSPy':>9}  {'ratio':>7}")
    for name, ours, others in table:
        print(f"{name:{width}}  {ours:9.3f}  " + (f"{others:9.3f}  {others / ours:6.1f}x" if others else f"{'-':>9}"))


if __name__ == "__main__":
    if a.role:
        dspy_role()
    elif not (HONE and SIMLM and GSM8K):
        sys.exit("set HONE, SIMLM and GSM8K; see --help")
    else:
        main()
