// Figures, times and amounts in words.

const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** What stands where nothing is known. */
export const DASH = '–';

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

export function count(value) {
  return isNumber(value) ? whole.format(value) : DASH;
}

export function short(value) {
  if (!isNumber(value)) return DASH;
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

const FAILURES = {
  contentRefused: 'refused and not scored', inputRejected: 'refused by the endpoint', contextWindowExceeded: 'too long for the model',
  outputUnparsable: 'unreadable', replyCut: 'cut off', replyEmpty: 'without text', replyToolCall: 'called a tool', metricFailed: 'not judged',
  programFailed: 'failed in the program',
};

/** How many rows failed, and in which way. */
export function failures(metrics) {
  const kinds = Object.entries(metrics).filter(([key, value]) => key.startsWith('failed.') && value > 0)
    .map(([key, value]) => `${count(value)} ${FAILURES[key.slice(7)] ?? key.slice(7)}`);
  return [`${count(metrics.failed)} failed`, ...kinds.length ? [`: ${kinds.join(', ')}`] : []].join('');
}

/** A score in percent, two decimals. */
export function score(value) {
  return isNumber(value) ? value.toFixed(2) : DASH;
}

export function interval(pair) {
  return pair && isNumber(pair[0]) ? `${pair[0].toFixed(1)}–${pair[1].toFixed(1)}` : '';
}

export function signed(value, digits = 2) {
  if (!isNumber(value)) return DASH;
  return `${value > 0 ? '+' : value < 0 ? '−' : '±'}${Math.abs(value).toFixed(digits)}`;
}

/** Any metric's value. */
export function metric(value) {
  if (!isNumber(value)) return value === undefined || value === null ? DASH : String(value);
  if (Number.isInteger(value)) return whole.format(value);
  const size = Math.abs(value);
  return size >= 0.01 ? value.toFixed(size >= 1 ? 2 : 4) : value.toPrecision(3);
}

/** How the replies behind a score came out, from a run's metrics: `['12 % unreadable', …]`, nothing where all is well. */
export function replyTroubles(metrics) {
  return [['unreadable', 'unreadable'], ['cut', 'cut off'], ['repaired', 'repaired']]
    .filter(([key]) => metrics[key] > 0)
    .map(([key, words]) => `${Math.max(1, Math.round(100 * metrics[key]))} % ${words}`);
}

export function money(value) {
  if (!isNumber(value)) return DASH;
  if (value === 0) return '$0';
  if (value < 0.01) return `$${value.toPrecision(2)}`;
  return `$${value.toFixed(value < 1 ? 3 : 2)}`;
}

export function duration(seconds) {
  if (!isNumber(seconds)) return DASH;
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(value) {
  if (!isNumber(value)) return DASH;
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  return `${(value / 1e6).toFixed(1)} MB`;
}

export function dateTime(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return DASH;
  const two = (n) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function ago(text, now = Date.now()) {
  const seconds = (now - new Date(text).getTime()) / 1000;
  if (Number.isNaN(seconds)) return DASH;
  if (seconds < 45) return 'just now';
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.round(seconds / 86_400)} d ago`;
  return dateTime(text).slice(0, 10);
}

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** The values in the order that people expect: eval_2 before eval_10. */
export const natural = new Intl.Collator('en', { numeric: true }).compare;
