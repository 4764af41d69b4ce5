"""The tutorial on tracking DSPy's optimizers with MLflow, as people run it; only the addresses, the data and the sizes are
the test's own. Prints what MLflow's client reads back, as JSON.

usage: mlflow_tutorial.py TRACKING_URI MODEL_BASE_URL
"""

import json
import sys

import dspy
import mlflow

tracking_uri, base_url = sys.argv[1:]

# Turn autologging on, all of it.
mlflow.dspy.autolog(log_compiles=True, log_evals=True, log_traces_from_compile=True)

# Where to track.
mlflow.set_tracking_uri(tracking_uri)
mlflow.set_experiment("DSPy-Optimization")

# The language model.
lm = dspy.LM(model="openai/sums", api_base=base_url, api_key="none", cache=False)
dspy.configure(lm=lm)

# The data.
examples = [
    dspy.Example(question=f"What is {a} plus {b}?", answer=str(a + b)).with_inputs("question")
    for a in range(2, 10) for b in range(3, 10, 2)]
trainset, valset = examples[:12], examples[12:32]


def exact(example, prediction, trace=None):
    return example.answer == prediction.answer


# The program, and its optimizer.
program = dspy.ChainOfThought("question -> answer")
teleprompter = dspy.teleprompt.MIPROv2(
    metric=exact, auto=None, num_candidates=3, num_threads=4, max_bootstrapped_demos=2, max_labeled_demos=2)
optimized_program = teleprompter.compile(
    program, trainset=trainset, valset=valset, num_trials=4, minibatch=True, minibatch_size=8)
mlflow.flush_trace_async_logging()

# What came of it.
experiment = mlflow.get_experiment_by_name("DSPy-Optimization")
runs = mlflow.search_runs([experiment.experiment_id], output_format="list")
parent = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
history = mlflow.MlflowClient().get_metric_history(parent.info.run_id, "eval_full")
traces = mlflow.search_traces(locations=[experiment.experiment_id], max_results=1000, return_type="list")
evaluated = {child.info.run_id for child in children}
of_children = [trace for trace in traces if trace.info.trace_metadata.get("mlflow.sourceRun") in evaluated]
trace = mlflow.get_trace(of_children[0].info.trace_id)
tables = mlflow.load_table("result_table.json", run_ids=[children[0].info.run_id])

# Load the optimized program for inference.
model_path = mlflow.artifacts.download_artifacts(
    f"mlflow-artifacts:/{experiment.experiment_id}/{parent.info.run_id}/artifacts/best_model.json")
loaded = dspy.ChainOfThought("question -> answer")
loaded.load(model_path)

print("RESULT " + json.dumps({
    "experiment": experiment.experiment_id,
    "parent": parent.info.run_id,
    "status": parent.info.status,
    "params": parent.data.params,
    "metrics": parent.data.metrics,
    "children": {child.info.run_id: [child.info.run_name, child.data.metrics] for child in children},
    "history": [[point.step, point.value] for point in history],
    "trace": trace.info.trace_id,
    "spans": [[span.name, span.span_type, span.inputs, span.outputs] for span in trace.data.spans],
    "preview": trace.info.request_preview,
    "usage": trace.info.token_usage,
    "traces": len(traces),
    "scored": sum(bool(trace.info.assessments) for trace in traces),
    "ofChildren": len(of_children),
    "rows": len(tables),
    "artifacts": sorted(file.path for file in mlflow.artifacts.list_artifacts(run_id=parent.info.run_id)),
    "instructions": [optimized_program.predict.signature.instructions, loaded.predict.signature.instructions],
    "demos": [len(optimized_program.predict.demos), len(loaded.predict.demos)],
    "answer": loaded(question="What is 9 plus 9?").answer,
}, default=str))
