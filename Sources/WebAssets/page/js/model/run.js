// What a run is and how it went, read from its parameters, metrics and tags, whoever logged it.

import { natural } from '../format.js';

export const NOTE = 'mlflow.note.content';

const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

/** `eval_full`, `eval_minibatch` … of a child's name `eval_full_3`. */
export function evaluationKind(run) {
  return run.name.replace(/_\d+$/, '');
}

/** `compile`, `evaluate`, `candidate` (an evaluation under another run) or `run`. */
export function kindOf(run) {
  const kind = run.tags['hone.kind'];
  if (kind) return kind;
  if (run.parentRunId && (run.metrics.eval !== undefined || /^eval/.test(run.name))) return 'candidate';
  const isScored = Object.keys(run.metrics).some((key) => key.startsWith('eval')) || run.tags['mlflow.autologging'] === 'dspy';
  if (run.params.optimizer || run.children > 0 && isScored) return 'compile';
  return run.metrics.eval !== undefined ? 'evaluate' : 'run';
}

export const KIND_WORDS = { compile: 'optimization', evaluate: 'evaluation', candidate: 'candidate', run: 'run' };

/** The run's one score in percent: that of the best program, else that of its evaluation. */
export function scoreOf(run) {
  return number(run.metrics.score) ?? number(run.metrics.eval) ?? number(run.metrics.eval_full);
}

/** The 95 % interval of the score; undefined where it is not known. */
export function intervalOf(run) {
  const low = number(run.metrics.eval_low);
  const high = number(run.metrics.eval_high);
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** What the run cost in dollars, or has cost so far; undefined where no price is known. */
export function costOf(run) {
  return number(run.metrics.cost) ?? (run.metrics.trial_cost > 0 ? run.metrics.trial_cost : undefined);
}

export function isLive(run) {
  return run.status === 'RUNNING' || run.status === 'SCHEDULED';
}

const STATUS = {
  RUNNING: ['Running', 'live'], SCHEDULED: ['Scheduled', 'live'], FINISHED: ['Finished', 'good'], FAILED: ['Failed', 'bad'],
  KILLED: ['Stopped', 'warn'], INTERRUPTED: ['Interrupted', 'warn'], CANCELLED: ['Cancelled', 'warn'],
  BUDGET_EXHAUSTED: ['Budget spent', 'warn'], PAUSED: ['Paused', 'warn'],
};

/** The status in words and its tone. */
export function statusOf(run) {
  const word = isLive(run) ? run.status : run.tags['hone.status'] ?? run.status;
  return STATUS[word] ?? [word, ''];
}

/** What a candidate tries, in words: as the run says it, else from DSPy's parameters (`instruction 2 with demo set 3`). */
export function choiceOf(run) {
  if (run.tags['hone.choice']) return run.tags['hone.choice'];
  const steps = new Map();
  for (const [key, value] of Object.entries(run.params)) {
    const found = /^(\d+)_predictor_(instruction|demos)$/.exec(key);
    if (found) steps.set(found[1], { ...steps.get(found[1]), [found[2]]: value });
  }
  if (!steps.size) return run.params.trial !== undefined ? 'the program as it came' : '';
  return [...steps].sort(([a], [b]) => natural(a, b)).map(([step, { instruction, demos }]) => {
    const words = [instruction === undefined ? '' : `instruction ${instruction}`, demos === undefined ? '' : `demo set ${demos}`].filter(Boolean).join(' with ');
    return steps.size > 1 ? `step ${Number(step) + 1}: ${words}` : words;
  }).join('; ');
}

/** How long the run took, or takes so far, in seconds. */
export function secondsOf(run, now = Date.now()) {
  if (run.duration !== undefined) return run.duration;
  return isLive(run) ? Math.max(0, (now - new Date(run.startTime).getTime()) / 1000) : undefined;
}

/** Tags that a person gave, without those that carry other meaning. */
export function ownTags(run) {
  return Object.entries(run.tags).filter(([key]) => !/^(mlflow|hone)\./.test(key));
}
