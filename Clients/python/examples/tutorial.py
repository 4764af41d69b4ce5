"""Tracking an optimization, step by step: configure, optimize, look at the runs, load the program back.

    python examples/tutorial.py                                   # offline, on the simulated model
    python examples/tutorial.py --lm openai/gpt-4o-mini --gsm8k   # a real model and data; the key is in $OPENAI_API_KEY
"""

import argparse

import hone
from hone.datasets import GSM8K, gsm8k_metric

parser = argparse.ArgumentParser()
parser.add_argument("--lm", default="simulated")
parser.add_argument("--gsm8k", action="store_true", help="use GSM8K instead of Hone's own word problems")
parser.add_argument("--home", help="the directory of the store; .hone by default")
arguments = parser.parse_args()

# 1. What is tracked, and where. By default everything is; each part can be switched off.
hone.configure(home=arguments.home)
hone.autolog(
    log_compiles=True,  # the optimization
    log_evals=True,  # each evaluation
    log_traces_from_compile=True,  # each execution of the program on the way
)
hone.set_experiment("DSPy-Optimization")

# 2. The model, the data and the metric.
lm = hone.LM(model=arguments.lm)
hone.configure(lm=lm)
gsm8k = GSM8K()
trainset, devset, metric = (
    (gsm8k.train, gsm8k.dev, gsm8k_metric) if arguments.gsm8k
    else ("word-problems:train", "word-problems:val", "numeric_match"))

# 3. The program, and the optimizer that finds better instructions and demos for it.
program = hone.ChainOfThought("question -> answer")
teleprompter = hone.teleprompt.MIPROv2(metric=metric, auto="light")
optimized_program = teleprompter.compile(program, trainset=trainset, valset=devset)

result = optimized_program.result
assert result and result.run_id and result.artifact_uri
print(result)

# 4. The runs: a parent for the search, a child for each candidate, with its instructions, demos and score.
parent = hone.get_run(result.run_id)
print(f"\n{parent.run.name}: baseline {parent.data.metrics['baseline_score']}, best {parent.data.metrics['score']}")
children = hone.list_runs(parent_run_id=result.run_id, order_by=["metrics.eval DESC"])
print(children)

# 5. The traces: what the program did with one example, step by step.
best = children[0]
trace = hone.get_trace(hone.list_traces(run_id=best.run_id, max_results=1)[0].trace_id)
print(f"\n{trace}")

# 6. The optimized program, loaded back from its artifact.
model_path = hone.artifacts.download_artifacts(result.artifact_uri)
loaded = hone.ChainOfThought("question -> answer")
loaded.load(model_path)
question = (
    "Samir makes 55 pies for a market stall; making one costs $1. At the end of the day 5 are unsold, and the others "
    "went for $5 each. How many dollars of profit did Samir make?")
print(f"\n{question}\n{loaded(question=question).answer}")
