// What many probes say together: the estimates of what was tried, and the mean score of the last ones.

import { h, s } from '../dom.js';
import { plural } from '../format.js';

const AROUND = 10;

/** Mean of each value with those before it, at most `AROUND`. */
function moving(values) {
  return values.map((_, index) => {
    const near = values.slice(Math.max(0, index - AROUND + 1), index + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

/** The curve of probes in their order; small, it stands in a line of text. */
export function probeCurve(nodes, { isSmall = false }) {
  const trials = nodes.flatMap((node) => node.trials).sort((a, b) => a.number - b.number);
  const estimates = trials.filter((trial) => trial.candidate.estimate !== undefined).map((trial) => ({ x: trial.number, y: trial.candidate.estimate }));
  const scored = trials.filter((trial) => trial.score !== undefined);
  const means = moving(scored.map((trial) => trial.score)).map((y, index) => ({ x: scored[index].number, y }));
  const all = [...estimates, ...means];
  if (all.length < 2) return null;
  const [width, height] = isSmall ? [120, 26] : [640, 200];
  const [left, bottom] = isSmall ? [0, 0] : [40, 24];
  const xs = all.map((point) => point.x);
  const [lowX, highX] = [Math.min(...xs), Math.max(...xs)];
  const ys = isSmall ? all.map((point) => point.y) : [0, 100];
  const [lowY, highY] = [Math.min(...ys), Math.max(...ys)];
  const x = (value) => left + 2 + (value - lowX) / (highX - lowX || 1) * (width - left - 4);
  const y = (value) => 3 + (highY - value) / (highY - lowY || 1) * (height - bottom - 6);
  const path = (points) => points.map((point, index) => `${index ? 'L' : 'M'}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join('');
  const line = estimates.length > 1 ? estimates : means;
  const words = `${plural(trials.length, 'probe')}: ${estimates.length > 1 ? 'estimates' : 'mean scores'} from ${line[0].y.toFixed(1)} to ${line.at(-1).y.toFixed(1)} percent`;
  const curve = s('svg', { class: `chart probe-curve ${isSmall ? 'small' : ''}`, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': words },
    isSmall ? null : [0, 50, 100].map((value) => [
      s('line.grid', { x1: left, x2: width, y1: y(value), y2: y(value) }), s('text', { x: left - 6, y: y(value) + 4, 'text-anchor': 'end' }, value === 100 ? '100 %' : value)]),
    isSmall ? null : [[lowX, 'start'], [highX, 'end']].map(([value, anchor]) => s('text', { x: x(value), y: height - 4, 'text-anchor': anchor }, `trial ${value}`)),
    isSmall && estimates.length > 1 ? null : s('path.means', { d: path(means) }), estimates.length > 1 ? s('path.estimates', { d: path(estimates) }) : null);
  if (isSmall) return curve;
  const sign = (name) => s('svg', { viewBox: '0 0 26 14', width: 26, height: 14, 'aria-hidden': 'true', class: 'chart probe-curve sign' }, s(`path.${name}`, { d: 'M2 7H24' }));
  return h('div', curve, h('ul.legend', { 'aria-label': 'Legend of the probes' },
    estimates.length > 1 ? h('li', sign('estimates'), 'estimate for all rows') : null, h('li', sign('means'), `mean score of the last ${AROUND}`)));
}
