// A metric as it went, step by step.

import { h, s } from '../dom.js';
import { metric, plural } from '../format.js';
import { inline } from '../text.js';

const WIDTH = 300;
const HEIGHT = 72;
const MOST = 600;

/** Points enough for a small line; of many, every so-manieth and the last. */
function thinned(points) {
  const stride = Math.ceil(points.length / MOST);
  return points.filter((_, index) => index % stride === 0 || index === points.length - 1);
}

/** Metrics that were logged more than once: `[name, points]`, each point `{step, value}`. */
export function courses(history) {
  return Object.entries(history).map(([name, points]) => [name, points.filter(({ value }) => typeof value === 'number' && Number.isFinite(value))])
    .filter(([, points]) => points.length > 1).sort(([a], [b]) => a.localeCompare(b));
}

/** One metric's line with its ends in words. */
export function course(name, points) {
  const sorted = thinned([...points].sort((a, b) => a.step - b.step));
  const isStepped = sorted.some((point) => point.step !== sorted[0].step);
  const at = sorted.map((point, index) => (isStepped ? point.step : index));
  const values = sorted.map((point) => point.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (value) => (value - at[0]) / (at[at.length - 1] - at[0] || 1) * WIDTH;
  const y = (value) => (high === low ? HEIGHT / 2 : (high - value) / (high - low) * HEIGHT);
  const d = sorted.map((point, index) => `${index ? 'L' : 'M'}${x(at[index]).toFixed(1)} ${y(point.value).toFixed(1)}`).join('');
  const words = `${name}: ${plural(points.length, 'value')}, from ${metric(values[0])} to ${metric(values[values.length - 1])}, between ${metric(low)} and ${metric(high)}`;
  return h('section.card.course', h('div.card-head', h('h3', inline(name, 80)), h('span.spacer'), h('strong', metric(values[values.length - 1]))),
    s('svg', { viewBox: `-2 -4 ${WIDTH + 4} ${HEIGHT + 8}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': words }, s('path', { d, 'vector-effect': 'non-scaling-stroke' })),
    h('p.faint', h('span', `${metric(low)} to ${metric(high)}`), h('span.spacer'), h('span', isStepped ? `steps ${at[0]} to ${at[at.length - 1]}` : plural(points.length, 'value'))));
}
