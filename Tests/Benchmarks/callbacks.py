#!/usr/bin/env python3
"""What a callback costs the service: CPU per round trip, read from /proc.

  HONE=path/to/hone python3 callbacks.py [--rows 4000] [--concurrency 8]

A client with trivial functions evaluates on the embedded model, over a pipe, in a service of its own: once with a metric
of the service's, once with the client's metric, and once with a host program of one predictor (program/forward and a
predict inside it). What the second and third cost beyond the first, per example, is a callback's cost. Every answer is
journaled, as it is for users.
"""
import argparse, json, os, subprocess, tempfile, time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--rows", type=int, default=4000)
p.add_argument("--concurrency", type=int, default=8)
p.add_argument("--repeat", type=int, default=3)
a = p.parse_args()
TICK = os.sysconf("SC_CLK_TCK")
ROWS = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(a.rows)]


class Client:
    """Answers callbacks in the order in which they come, on one thread: nothing here waits."""

    def __init__(self, home):
        self.process = subprocess.Popen([os.environ["HONE"], "serve", "--home", home], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.next, self.callbacks, self.pending = 1, 0, {}

    def send(self, message):
        self.process.stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def call(self, method, params):
        identity = self.request(method, params)
        while True:
            self.process.stdin.flush()
            message = json.loads(self.process.stdout.readline())
            if "method" in message:
                self.answer(message)
            elif message["id"] == identity:
                if "error" in message:
                    raise SystemExit(message["error"])
                return message["result"]
            else:
                self.send({"jsonrpc": "2.0", "id": self.pending.pop(message["id"]), "result": {"outputs": message["result"]["outputs"]}})

    def request(self, method, params):
        identity, self.next = self.next, self.next + 1
        self.send({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})
        return identity

    def answer(self, message):
        self.callbacks += 1
        params = message["params"]
        if message["method"] == "metric/score":
            result = params["prediction"].get("answer") == params["example"]["answer"]
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
        else:
            inner = self.request("predict", {"executionId": params["executionId"], "predictor": "answer", "inputs": params["inputs"]})
            self.pending[inner] = message["id"]


def measure(label, program, metric):
    """Seconds of CPU of the service for one evaluation, the best of some, after one with a single row."""
    best = None
    for _ in range(a.repeat):
        with tempfile.TemporaryDirectory() as home:
            client = Client(home)
            request = {"program": program, "metric": metric, "lm": "simulated", "concurrency": a.concurrency, "maxResults": 0}
            client.call("evaluate", {**request, "devset": ROWS[:1]})
            cpu, wall, callbacks = client.cpu(), time.time(), client.callbacks
            result = client.call("evaluate", {**request, "devset": ROWS})
            time.sleep(0.3)  # what is written behind the answer counts too
            found = (client.cpu() - cpu, time.time() - wall - 0.3, client.callbacks - callbacks, result["score"])
            client.process.stdin.close()
            client.process.wait()
            best = min(best or found, found)
    print(f"{label:28} {best[0] * 1000 / a.rows:7.3f} ms CPU a row, {best[1]:6.2f} s, {best[2]:6} callbacks, score {best[3]}")
    return best[0] * 1000 / a.rows


host = {"host": "p", "signature": "question -> answer", "predictors": {"answer": {"module": "ChainOfThought", "signature": "question -> answer"}}}
base = measure("a metric by name", "question -> answer", "exact_match")
metric = measure("the client's metric", "question -> answer", {"client": "exact"})
program = measure("the client's program", host, "exact_match")
print(f"metric/score: {metric - base:.3f} ms CPU a round trip; program/forward and one predict: {program - base:.3f} ms")
