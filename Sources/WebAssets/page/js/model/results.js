// How examples came out: scores by row for many evaluations, and what the rows are about.

import { artifactJSON, pages } from '../rpc.js';

const asScore = (value) => (value === true ? 1 : value === false ? 0 : typeof value === 'number' ? value : undefined);

/** `Map(runId → Map(row → {score, traceId, error}))` for runs `[{runId}]`. */
export async function resultsOf(runs, signal) {
  const found = new Map();
  if (!runs.length) return found;
  await pages('listResults', { runIds: runs.map((run) => run.runId) }, (page) => {
    for (const one of page.runs) {
      // An evaluation with many rows goes on in the next page.
      const cells = found.get(one.runId) ?? new Map();
      one.rows.forEach((row, at) => cells.set(row, {
        score: one.scores[at] ?? undefined, traceId: one.traceIds[at] ?? undefined, error: one.errors[row],
      }));
      found.set(one.runId, cells);
    }
  }, { signal });
  return found;
}

/**
 * The 95 % interval, in percent, of the share that scores of 0 and 1 stand for (Wilson's). Undefined for other scores, of
 * which the mean alone says too little.
 */
export function intervalOfScores(scores) {
  if (!scores.length || scores.some((score) => score !== 0 && score !== 1)) return undefined;
  const n = scores.length;
  const share = scores.reduce((sum, score) => sum + score, 0) / n;
  const z = 1.959964;
  const scale = 1 + z * z / n;
  const middle = (share + z * z / (2 * n)) / scale;
  const half = z / scale * Math.sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return [Math.max(0, middle - half) * 100, Math.min(1, middle + half) * 100];
}

/** What happened to a row against the baseline: `fixed`, `broken`, `right`, `wrong`, `failed` or `none`. */
export function outcome(cell, before) {
  if (!cell) return 'none';
  if (cell.error || cell.score === undefined) return before?.score > 0 ? 'broken' : 'failed';
  if (before && before !== cell && before.score !== undefined) {
    if (cell.score > before.score) return 'fixed';
    if (cell.score < before.score) return 'broken';
  }
  if (before?.error && cell.score > 0) return 'fixed';
  return cell.score >= 1 ? 'right' : cell.score <= 0 ? 'wrong' : 'partly';
}

/** The rows of an evaluation with inputs, what was expected and what came: `Map(row → {example, outputs, score, error, traceId})`. */
export async function examplesOf(runId, signal) {
  const table = await artifactJSON(runId, 'result_table.json', { signal });
  const found = new Map();
  if (!Array.isArray(table?.columns) || !Array.isArray(table.data)) return found;
  table.data.forEach((values, index) => {
    const row = { example: [], outputs: [] };
    let key = index;
    table.columns.forEach((column, at) => {
      const value = values[at];
      if (column === 'score') row.score = asScore(value);
      else if (column === 'row') key = value;
      else if (column === 'error') row.error = value ?? undefined;
      else if (column === 'trace_id') row.traceId = value ?? undefined;
      else if (value === null || value === undefined) return;
      else if (column.startsWith('example_')) row.example.push([column.slice(8), value]);
      else if (column.startsWith('pred_')) row.outputs.push([column.slice(5), value]);
    });
    found.set(key, row);
  });
  return found;
}

const REASONS = new Set(['reasoning', 'rationale', 'gold_reasoning']);

/** A row in one line: its inputs, without what is also among the outputs. */
export function question(row) {
  const outputs = new Set(row.outputs.map(([key]) => key));
  const inputs = row.example.filter(([key]) => !outputs.has(key) && !REASONS.has(key));
  return (inputs.length ? inputs : row.example).map(([, value]) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' · ');
}

/** What was expected of a row, or what came, in one line. */
export function answerOf(pairs) {
  const said = pairs.filter(([key]) => !REASONS.has(key));
  return said.map(([, value]) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' · ');
}

/** What was expected: the example's values for the fields that the program gives. */
export function expected(row) {
  const outputs = new Set(row.outputs.map(([key]) => key));
  const found = row.example.filter(([key]) => outputs.has(key) && !REASONS.has(key));
  return answerOf(found.length ? found : row.example.filter(([key]) => key === 'answer'));
}
