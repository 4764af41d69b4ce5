// The candidates of one search in their order, with what can be said of them together.

import { natural } from '../format.js';
import { call, pages } from '../rpc.js';
import { intervalOfScores, resultsOf } from './results.js';
import { choiceOf, evaluationKind, intervalOf, isLive } from './run.js';

const isTest = (run) => evaluationKind(run) === 'eval_test';

/** Loads the children of a run once, then only what may have changed. */
export class Candidates {
  constructor(parentId, signal) {
    this.parentId = parentId;
    this.signal = signal;
    this.runs = new Map();
    this.counted = new Map();
    this.list = [];
    this.tests = [];
  }

  /** True if anything is different from before. */
  async refresh() {
    const before = JSON.stringify(this.list.map((c) => [c.run.runId, c.run.status, c.run.metrics]));
    const isFirst = this.runs.size === 0;
    const select = isFirst ? ['metrics.*', 'params.*', 'tags.*'] : ['metrics.*', 'tags.*'];
    const order = [];
    const unknown = [];
    await pages('listRuns', {
      parentRunId: this.parentId, orderBy: ['start_time ASC'], select, maxResults: 200,
    }, (page) => {
      for (const run of page.runs) {
        const known = this.runs.get(run.runId);
        order.push(run);
        if (isFirst) this.runs.set(run.runId, run);
        else if (known) this.runs.set(run.runId, { ...run, params: known.params });
        else unknown.push(run.runId);
      }
    }, { signal: this.signal });
    for (const runId of unknown) {
      const { run, children } = await call('getRun', { runId }, { signal: this.signal });
      this.runs.set(runId, { ...run, children });
    }
    const runs = order.map((run) => this.runs.get(run.runId));
    // Scores on the testset are no candidates: nothing was chosen by them.
    this.tests = runs.filter(isTest).sort((a, b) => natural(a.name, b.name));
    this.list = describe(runs.filter((run) => !isTest(run)));
    await this.count();
    return before !== JSON.stringify(this.list.map((c) => [c.run.runId, c.run.status, c.run.metrics]));
  }

  /** Learns rows and intervals from the scores by example, of evaluations that others logged without them. */
  async count() {
    const lacking = (candidate) => !candidate.isLive && candidate.score !== undefined && !candidate.interval;
    const unknown = this.list.filter((candidate) => lacking(candidate) && !this.counted.has(candidate.run.runId));
    const results = await resultsOf(unknown.map((candidate) => candidate.run), this.signal);
    for (const { run } of unknown) {
      const scores = [...results.get(run.runId)?.values() ?? []].map((cell) => cell.score).filter((score) => score !== undefined);
      this.counted.set(run.runId, { rows: scores.length || undefined, interval: intervalOfScores(scores) });
    }
    for (const candidate of this.list.filter(lacking)) {
      const { rows, interval } = this.counted.get(candidate.run.runId);
      candidate.rows ??= rows;
      candidate.interval = interval;
    }
  }

  get baseline() { return this.list.find((candidate) => candidate.isBaseline); }
  get best() { return this.list.find((candidate) => candidate.isBest); }
  byId(runId) { return this.list.find((candidate) => candidate.run.runId === runId); }
}

/**
 * In the order of the search, as the runs tell it. Where they do not (another program logged them), those of one kind by
 * their numbers, the kinds among each other by their starts.
 */
function inOrder(runs) {
  const place = (run) => Number(run.tags['hone.trial'] ?? NaN);
  if (runs.every((run) => place(run) >= 1)) return [...runs].sort((a, b) => place(a) - place(b));
  const kinds = new Map();
  for (const run of runs) {
    const kind = evaluationKind(run);
    if (!kinds.has(kind)) kinds.set(kind, []);
    kinds.get(kind).push({ run, number: Number(/_(\d+)$/.exec(run.name)?.[1] ?? 0), time: new Date(run.startTime).getTime() });
  }
  const entries = [...kinds.values()].flatMap((list) => {
    let latest = 0;
    return list.sort((a, b) => a.number - b.number || a.time - b.time).map((entry) => {
      latest = Math.max(latest, entry.time);
      return { ...entry, time: latest };
    });
  });
  return entries.sort((a, b) => a.time - b.time).map((entry) => entry.run);
}

/** Whether an evaluation ended before it had asked all of its rows, because its program was clearly behind. */
const lostRace = ({ metrics, params }) => metrics.count < Number(params.rows ?? 0);

/** The runs as candidates: trial number, kind, score, interval, best so far, which is first and which best. */
export function describe(runs, isSearch = true) {
  const list = inOrder(runs).map((run, index) => ({
    run,
    trial: index + 1,
    kind: evaluationKind(run),
    isMinibatch: /minibatch/.test(run.name),
    score: typeof run.metrics.eval === 'number' ? run.metrics.eval : undefined,
    interval: intervalOf(run),
    rows: run.metrics.count ?? (run.params.rows === undefined ? undefined : Number(run.params.rows)),
    choice: choiceOf(run),
    isLive: isLive(run),
    // Refused rows are left out of every score; an outage's are not. Who lost a race was not asked all rows.
    isWhole: !lostRace(run) && (run.metrics.coverage ?? 1) + (run.metrics.refused ?? 0) / (run.metrics.count || 1) > 0.99999,
    isBaseline: false,
    isBest: false,
    bestSoFar: undefined,
  }));
  const hasFull = list.some((candidate) => !candidate.isMinibatch && candidate.score !== undefined);
  let best;
  for (const candidate of list) {
    const counts = candidate.score !== undefined && candidate.isWhole && (!hasFull || !candidate.isMinibatch);
    if (counts && (best === undefined || candidate.score > best.score)) best = candidate;
    candidate.bestSoFar = best?.score;
  }
  if (!isSearch) return list;
  if (best) best.isBest = true;
  const first = list.find((candidate) => !candidate.isMinibatch);
  if (first) first.isBaseline = true;
  return list;
}
