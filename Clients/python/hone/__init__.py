"""A client of Hone, the service that optimizes, runs and tracks language-model programs.

`Client.start()` runs its own service over pipes, `Client.connect(path)` connects to one that listens on a Unix socket,
and `AsyncClient` has the same methods for coroutines. Without a client, programs and optimizers use one that is started
on first use:

    import hone

    hone.configure(lm="openai/gpt-4o-mini")
    program = hone.ChainOfThought("question -> answer")
    optimized = hone.MIPROv2(metric="exact_match", auto="light").compile(program, trainset="train.jsonl")
    print(optimized(question="…").answer)
"""

from . import artifacts, datasets, optimizers, teleprompt
from .aio import AsyncClient, AsyncRunHandle
from .calls import Call
from .client import Client, connect, start
from .defaults import (
    LM,
    Evaluate,
    autolog,
    cancel_run,
    compile,
    configure,
    delete_run,
    evaluate,
    get_artifact,
    get_client,
    get_run,
    get_trace,
    list_artifacts,
    list_runs,
    list_traces,
    load_program,
    log_feedback,
    resume_run,
    run_handle,
    set_experiment,
)
from .errors import (
    AuthenticationFailed,
    BudgetExhausted,
    Cancelled,
    ClientGone,
    ConnectionLost,
    ContentRefused,
    ContextWindowExceeded,
    DatasetInvalid,
    HoneError,
    InputRejected,
    InsufficientCredit,
    InternalError,
    Interrupted,
    InvalidParams,
    LanguageModelRejected,
    LanguageModelUnavailable,
    MalformedReply,
    MethodNotFound,
    MetricFailed,
    NotFound,
    OutputUnparsable,
    ProgramFailed,
    ProgramInvalid,
    QuotaExhausted,
    RateLimited,
    ReplyCut,
    ReplyEmpty,
    ReplyToolCall,
    StoreUnavailable,
    TimedOut,
    TooManyErrors,
    ToolFailed,
    WaitTooLong,
)
from .examples import Example, Prediction, ProposalRequest, ProposalRow, Score, TraceStep
from .functions import metric, model, proposer, tool
from .optimizers import *  # noqa: F403
from .programs import ChainOfThought, Predict, Program, ReAct, program
from .results import CompileResult, Estimate, EvaluateResult, PredictResult, Run, RunDetails, Trace
from .work import RunHandle

Module = Program

__all__ = [
    "AsyncClient", "AsyncRunHandle", "AuthenticationFailed", "BudgetExhausted", "Call", "Cancelled",
    "ChainOfThought", "Client", "ClientGone", "CompileResult", "ConnectionLost", "ContentRefused",
    "ContextWindowExceeded", "DatasetInvalid", "Estimate", "Evaluate", "EvaluateResult", "Example", "HoneError",
    "InputRejected", "InsufficientCredit", "InternalError", "Interrupted", "InvalidParams", "LM",
    "LanguageModelRejected", "LanguageModelUnavailable", "MalformedReply", "MethodNotFound", "MetricFailed",
    "Module", "NotFound", "OutputUnparsable", "Predict", "PredictResult", "Prediction", "Program",
    "ProgramFailed", "ProgramInvalid", "ProposalRequest", "ProposalRow", "QuotaExhausted", "RateLimited", "ReAct", "ReplyCut", "ReplyEmpty",
    "ReplyToolCall", "Run", "RunDetails", "RunHandle", "Score", "StoreUnavailable", "TimedOut", "TooManyErrors",
    "ToolFailed", "Trace", "TraceStep", "WaitTooLong", "artifacts", "autolog", "cancel_run", "compile",
    "configure", "connect", "datasets", "delete_run", "evaluate", "get_artifact", "get_client", "get_run",
    "get_trace", "list_artifacts", "list_runs", "list_traces", "load_program", "log_feedback", "metric", "model",
    "program", "proposer", "resume_run", "run_handle", "set_experiment", "start", "teleprompt", "tool",
]
__all__ += optimizers.__all__
__version__ = "0.1.0"
