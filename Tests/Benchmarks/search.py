#!/usr/bin/env python3
"""Which optimizer finds most, where nobody tuned: optimizers x landscapes x seeds at one budget of calls of all roles.

  HONE=path/to/hone SIMLM=path/to/simlm.py GSM8K=path/to/gsm8k python3 search.py
      [--optimizers auto,GEPA,MIPROv2,dspy.MIPROv2,dspy.GEPA] [--kinds …] [--landscapes 2] [--first 1000] [--seeds 3] [--calls 700] [--json out.jsonl]

SIMLM is a simulated model behind an OpenAI-compatible endpoint whose landscape (which phrases help, what demos are worth,
which rules a question needs) is a file; it must answer /stats and /reset. GSM8K is a directory with train.jsonl and
test.jsonl: their questions, not their difficulty, are used. Landscapes follow from their kind and number, so that there
are always unseen ones: those below 1000 are for tuning, figures are reported from 1000 on.

A search gets 100 rows to learn from and 100 to score on. What it finds is scored on 400 other rows, whose calls do not
count. Printed for each optimizer: the mean with a 95 % interval over landscapes and seeds (t distribution over the
landscapes' means), the worst landscape, the search's own score less the one on unseen rows, calls. dspy.* run in
processes of their own, where DSPy is installed.
"""
import argparse, json, math, os, random, statistics, subprocess, sys, tempfile, time, urllib.request, socket
from concurrent.futures import ThreadPoolExecutor

VERBS = ("work write check give name keep list restate mind convert state compare recall order group join test mark track "
         "sort count weigh trace match reduce split solve read").split()
OBJECTS = ("each quantity|the units|the final figure|every rate|the unknown|exact fractions|the given facts|one operation a line|"
           "the order of events|all changes|each person's share|what is asked|the hours|the totals|each group|the smaller part|"
           "both sides|the prices|the remainder|the pairs|the sign|the whole before its parts").split("|")
TAILS = ("with care|in one line|as a number|from the end|without words|before adding|once more|by hand|at the start|in the answer|"
         "twice|as stated").split("|")
KINDS = ("instructions demos both harmful interactions tail noisy neither rules rules_few rules_demos rules_noisy").split()


def phrases(r, count):
    found = []
    while len(found) < count:
        phrase = f"{r.choice(VERBS)} {r.choice(OBJECTS)} {r.choice(TAILS)}"
        if not any(phrase in other or other in phrase for other in found):
            found.append(phrase)
    return found


def landscape(kind, number):
    """What pays: instructions, demos, both, neither; harmful demos; interactions; many small effects; noise; needed rules."""
    r = random.Random(f"{kind}-{number}")
    if kind.startswith("rules"):
        count = 4 if kind == "rules_few" else r.randint(6, 14)
        names = phrases(r, count + r.randint(4, 10))
        return {"rules": {
            "names": names[:count], "distractors": names[count:], "share": 0.8 if kind == "rules_few" else r.uniform(0.35, 0.7),
            "skew": r.uniform(0.15, 0.5), "room": count + r.randint(0, 3), "clutter": r.choice([0.01, 0.03, 0.05]),
            "slip": r.uniform(0.08, 0.15) if kind == "rules_noisy" else r.uniform(0, 0.04), "luck": r.uniform(0.02, 0.12),
            "teaches": r.uniform(0.5, 0.9) if kind == "rules_demos" else r.uniform(0, 0.3), "keeps": r.uniform(0.75, 0.95),
            "reflection": r.uniform(0.4, 0.8)}}
    good = 16 if kind == "tail" else r.randint(6, 12)
    names = phrases(r, 30 if kind == "tail" else good + r.randint(6, 14))
    total = r.uniform(2.6, 4.0)
    shares = [1.0] * good if kind == "tail" else [r.random() + 0.2 for _ in range(good)]
    weight = {"demos": 0.35, "both": 0.7, "neither": 0.12}.get(kind, 1)
    gains = [weight * total * s / sum(shares) for s in shares]
    losses = [-r.uniform(0.05, 0.3 if kind == "tail" else 0.7) for _ in names[good:]]
    demo, any_demo, spread = {
        "demos": (r.uniform(0.7, 1.1), 0.05, 1.0), "both": (r.uniform(0.4, 0.6), 0.05, 0.4), "harmful": (-r.uniform(0.2, 0.5), -0.1, 0.1),
        "interactions": (0.15, 0.05, 0.4), "tail": (0.15, 0.05, 0.4)}.get(kind, (r.uniform(0, 0.05), 0, 0.1))
    pairs = []
    if kind == "interactions":
        pairs = [[*r.sample(names, 2), r.choice([-1, -1, 1]) * r.uniform(0.2, 0.6)] for _ in range(8)]
    items = list(zip(names, gains + losses))
    r.shuffle(items)
    return {"phrases": dict(items), "pairs": pairs, "length_cost": 0 if kind == "tail" else r.choice([0, 0.02, 0.04, 0.08]),
            "base": r.uniform(-0.5, 0.2), "reasoning": r.uniform(0.2, 0.7), "good_demo": demo, "any_demo": any_demo, "demo_spread": spread,
            "difficulty": r.uniform(3.4, 4.6), "shift": r.uniform(0.12, 0.25), "noise": r.uniform(0.8, 1.4) if kind == "noisy" else r.uniform(0.1, 0.4)}


def questions(folder):
    def read(name):
        for line in open(os.path.join(folder, name), encoding="utf-8"):
            row = json.loads(line)
            yield {"question": row["question"], "answer": row["answer"].rpartition("####")[2].strip().replace(",", "")}
    train, test = list(read("train.jsonl")), list(read("test.jsonl"))
    random.Random(0).shuffle(train)
    random.Random(0).shuffle(test)
    return train[:100], train[200:300], test[:400]


class Endpoint:
    def __init__(self, simlm, gsm8k, file, salt):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        data = [os.path.join(gsm8k, name) for name in ("train.jsonl", "test.jsonl")]
        self.process = subprocess.Popen(
            [sys.executable, simlm, "--port", str(self.port), "--landscape", file, "--salt", salt, "--data", data[0], "--data", data[1]],
            stdout=subprocess.DEVNULL)
        for _ in range(400):
            try:
                self.calls()
                return
            except OSError:
                time.sleep(0.05)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def calls(self):
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats"))["calls"]

    def close(self):
        self.process.kill()
        self.process.wait()


def hone_search(name, endpoint, seed, calls, data):
    """The score on unseen rows, the search's own score, and calls."""
    import hone
    train, val, unseen = data
    with tempfile.TemporaryDirectory() as home, hone.Client.start(home, executable=os.environ["HONE"]) as client:
        lm = {"model": "openai/sim", "apiBase": endpoint.url}
        before = endpoint.calls()
        found = client.compile(
            program={"module": "ChainOfThought", "signature": "question -> answer"}, optimizer={"name": name}, seed=seed, trainset=train,
            valset=val, metric="exact_match", lm=lm, budget={"maxCalls": calls}, autolog={"tracesFromCompile": False})
        used = endpoint.calls() - before
        score = client.evaluate(program={"run": found["runId"]}, devset=unseen, metric="exact_match", lm=lm)["score"]
        return score, found["score"], used


DSPY = """
import json, os, sys
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
import dspy, urllib.request
name, port, seed, calls, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
train, val, unseen = [[dspy.Example(**r).with_inputs("question") for r in rows] for rows in json.load(open(file))]
lm = dspy.LM("openai/sim", api_key="x", api_base=f"http://127.0.0.1:{port}/v1", cache=True)
dspy.configure(lm=lm)
right = lambda e, p, *rest: str(p.answer).strip() == str(e.answer)
program = dspy.ChainOfThought("question -> answer")
count = lambda: json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/stats"))["calls"]
before = count()
if name == "GEPA":
    def feedback(gold, pred, trace=None, pred_name=None, pred_trace=None):
        ok = right(gold, pred)
        return dspy.Prediction(score=float(ok), feedback="Right." if ok else f"Expected {gold.answer}, but got {pred.answer}.")
    best = dspy.GEPA(metric=feedback, max_metric_calls=calls, reflection_lm=lm, num_threads=8, seed=seed).compile(program, trainset=train, valset=val)
    results = best.detailed_results if hasattr(best, "detailed_results") else None
    own = None
else:
    best = dspy.MIPROv2(metric=right, auto="light", num_threads=8, seed=seed, verbose=False).compile(program, trainset=train, valset=val)
    own = getattr(best, "score", None)
used = count() - before
score = dspy.Evaluate(devset=unseen, metric=right, num_threads=8)(best).score
if own is None: own = dspy.Evaluate(devset=val, metric=right, num_threads=8)(best).score
print("RESULT " + json.dumps([float(score), float(own), used]))
"""


def dspy_search(name, endpoint, seed, calls, data):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "rows.json")
        json.dump(data, open(file, "w"))
        out = subprocess.run([sys.executable, "-c", DSPY, name, str(endpoint.port), str(seed), str(calls), file], capture_output=True,
                             text=True, env={**os.environ, "DSPY_CACHEDIR": folder})
        for line in out.stdout.splitlines():
            if line.startswith("RESULT "):
                return json.loads(line[7:])
        raise RuntimeError(out.stderr[-2000:])


def interval(values):
    """Half the width of the 95 % interval of a mean."""
    if len(values) < 2:
        return float("nan")
    t = {2: 12.7, 3: 4.3, 4: 3.18, 5: 2.78, 6: 2.57, 8: 2.36, 10: 2.26, 12: 2.2, 24: 2.07}
    quantile = min((value for count, value in t.items() if count <= len(values)), default=1.96)
    return quantile * statistics.stdev(values) / math.sqrt(len(values))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--optimizers", default="auto,GEPA,MIPROv2,dspy.MIPROv2,dspy.GEPA")
    p.add_argument("--kinds", default=",".join(KINDS))
    p.add_argument("--landscapes", type=int, default=2, help="of each kind")
    p.add_argument("--first", type=int, default=1000, help="number of the first landscape")
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--calls", type=int, default=700)
    p.add_argument("--json", help="a file that each search is added to")
    p.add_argument("--jobs", type=int, default=2)
    a = p.parse_args()
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Clients", "python"))
    data = questions(os.environ["GSM8K"])
    folder = tempfile.mkdtemp()
    work = []
    for kind in a.kinds.split(","):
        for number in range(a.first, a.first + a.landscapes):
            file = os.path.join(folder, f"{kind}-{number}.json")
            json.dump(landscape(kind, number), open(file, "w"))
            work += [(kind, number, file, seed) for seed in range(1, a.seeds + 1)]

    def one(item):
        kind, number, file, seed = item
        found = []
        for optimizer in a.optimizers.split(","):
            endpoint = Endpoint(os.environ["SIMLM"], os.environ["GSM8K"], file, f"sim-{seed}")
            try:
                search = dspy_search if optimizer.startswith("dspy.") else hone_search
                score, own, used = search(optimizer.removeprefix("dspy."), endpoint, seed, a.calls, data)
            finally:
                endpoint.close()
            row = {"optimizer": optimizer, "kind": kind, "landscape": number, "seed": seed, "score": score, "own": own, "calls": used}
            found.append(row)
            if a.json:
                with open(a.json, "a") as f:
                    f.write(json.dumps(row) + "\n")
        print(f"{kind}-{number} seed {seed}: " + ", ".join(f"{r['optimizer']} {r['score']:.0f} ({r['calls']})" for r in found), flush=True)
        return found

    with ThreadPoolExecutor(a.jobs) as pool:
        rows = [row for found in pool.map(one, work) for row in found]
    print(f"\n{'optimizer':16} {'unseen rows':>16} {'worst':>6} {'own less unseen':>16} {'calls':>6}")
    for optimizer in a.optimizers.split(","):
        own = [r for r in rows if r["optimizer"] == optimizer]
        means = {}
        for r in own:
            means.setdefault((r["kind"], r["landscape"]), []).append(r["score"])
        means = {key: statistics.mean(values) for key, values in means.items()}
        worst = min(means, key=means.get)
        gaps = [r["own"] - r["score"] for r in own if r["own"] is not None]
        print(f"{optimizer:16} {statistics.mean(means.values()):7.1f} ± {interval(list(means.values())):5.1f}  {means[worst]:6.1f}"
              f" {statistics.mean(gaps) if gaps else float('nan'):16.1f} {statistics.mean(r['calls'] for r in own):6.0f}   worst: {worst[0]}-{worst[1]}")


if __name__ == "__main__":
    main()
