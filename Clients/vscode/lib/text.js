'use strict';

// Texts for a person: what a model wrote made harmless, errors with what to do next, figures.

const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function visible(character) {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/**
 * Text with control characters made visible, and those that are invisible or turn the direction of text shown by their
 * number. Line ends and tabs stay.
 */
function clean(text) {
  return String(text).replace(/\r\n/g, '\n').replace(hidden, visible);
}

/** The same on one line. */
function line(text) {
  return clean(text).replace(/\n/g, '␤').replace(/\t/g, ' ');
}

/** The end of an id; how ids begin tells little but when they were made. */
function short(id) {
  return `…${id.slice(-8)}`;
}

/** An error: what is wrong, each part of it, what to do next. */
function errorText(error) {
  const data = error.data || {};
  const lines = [error.message];
  // A single problem is in the message already.
  const problems = data.problems || [];
  for (const problem of problems.length > 1 ? problems : []) {
    const hint = problem.suggestion ? ` Did you mean "${problem.suggestion}"?` : '';
    lines.push(`${problem.path || ''}: ${problem.message || ''}${hint}`);
  }
  if (data.remedy) lines.push(data.remedy);
  return clean(lines.join('\n'));
}

function score(value) {
  return typeof value === 'number' ? value.toFixed(2) : '-';
}

/** A value as a person writes it. */
function value(of) {
  if (of === true) return 'yes';
  if (of === false) return 'no';
  if (of === null || of === undefined) return '-';
  return typeof of === 'object' ? JSON.stringify(of) : String(of);
}

/** When a run began, and how long it took. */
function when(run) {
  const start = typeof run.startTime === 'string' ? new Date(run.startTime).toLocaleString() : '';
  return typeof run.duration === 'number' ? `${start}, ${run.duration.toFixed(1)} s` : start;
}

/** One line about what came of compiling or evaluating. */
function outcome(result) {
  const parts = [];
  if (result.status && result.status !== 'FINISHED') parts.push(String(result.status).toLowerCase());
  const reached = score(result.score);
  if (reached === '-') parts.push('no score');
  else if (typeof result.baselineScore === 'number') parts.push(`${reached}, was ${score(result.baselineScore)}`);
  else if (result.count === undefined) parts.push(reached);
  else parts.push(`${reached} on ${result.count} examples`);
  if (result.runId) parts.push(`run ${short(result.runId)}`);
  return line(parts.join(', ') + (result.simulated ? ' (simulated model)' : ''));
}

module.exports = { clean, errorText, line, outcome, score, short, value, when };
