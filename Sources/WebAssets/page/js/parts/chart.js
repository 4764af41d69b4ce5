// The search as it went: every candidate's score with its interval, over trials, calls or cost.

import { append, h, place, replace, s } from '../dom.js';
import { count, interval, money, score, short } from '../format.js';
import { visible } from '../text.js';

const LOWEST = 320;
const MARGIN = { top: 16, right: 20, bottom: 44, left: 52 };

const AXES = {
  trial: { words: 'Trial', tick: count },
  calls: { words: 'Calls made so far', tick: short },
  cost: { words: 'Money spent so far', tick: money },
};

/** About `wanted` round values from `low` to `high`. */
function ticks(low, high, wanted) {
  const span = high - low || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => span / n <= wanted) ?? 10 * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/** The chart; `onOpen(candidate)` is called for a point that is chosen. */
export class SearchChart {
  constructor({ onOpen }) {
    this.onOpen = onOpen;
    this.axis = 'trial';
    this.points = [];
    this.estimates = [];
    this.svg = s('svg.chart', { role: 'group', 'aria-label': 'Scores of the search' });
    this.tip = h('div.tip', { hidden: true });
    this.element = h('div.chart-box', this.svg, this.tip);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
    this.svg.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const all = [...this.svg.querySelectorAll('.point')];
      const index = all.indexOf(document.activeElement);
      if (step && index >= 0) {
        all[(index + step + all.length) % all.length].focus();
        event.preventDefault();
      }
    });
  }

  /** `points`: candidates with `x: {trial, calls, cost}`; `estimates`: what the search thought of its probes, `{x, estimate}`. */
  setPoints(points, axis = this.axis, estimates = []) {
    this.points = points.filter((point) => point.score !== undefined);
    this.estimates = estimates;
    this.axis = axis;
    this.draw();
  }

  draw() {
    const width = this.element.clientWidth;
    if (!width) return;
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
    this.height = Math.max(LOWEST, this.element.clientHeight);
    const { height } = this;
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.setAttribute('height', height);
    replace(this.svg);
    if (!this.points.length) return;
    const xs = [...this.points, ...this.estimates].map((point) => point.x[this.axis]);
    const highX = Math.max(...xs, this.axis === 'trial' ? 2 : 1e-9);
    const lowX = this.axis === 'trial' ? 0.5 : 0;
    const values = [...this.points.flatMap((point) => [point.score, ...(point.interval ?? [])]), ...this.estimates.map((one) => one.estimate)];
    const lowY = Math.min(...values) < 0 ? Math.min(...values) : Math.max(0, Math.floor((Math.min(...values) - 4) / 10) * 10);
    const highY = Math.max(...values) > 100 ? Math.max(...values) : Math.min(100, Math.ceil((Math.max(...values) + 4) / 10) * 10);
    const x = (value) => MARGIN.left + (value - lowX) / ((this.axis === 'trial' ? highX + 0.5 : highX * 1.02) - lowX) * inner.width;
    const y = (value) => MARGIN.top + (highY - value) / (highY - lowY) * inner.height;
    this.drawAxes(x, y, { lowX, highX, lowY, highY }, width);
    this.drawLines(x, y, highX);
    this.points.forEach((point, index) => append(this.svg, this.point(point, x(point.x[this.axis]), y, index)));
    if (focused) [...this.svg.querySelectorAll('.point')].find((node) => node.dataset.id === focused)?.focus();
  }

  drawAxes(x, y, { lowX, highX, lowY, highY }, width) {
    const bottom = this.height - MARGIN.bottom;
    const fit = Math.max(3, Math.floor(width / 90));
    append(this.svg, s('g.axes', { 'aria-hidden': 'true' },
      ticks(lowY, highY, 6).map((value, index, all) => [
        s('line.grid', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
        s('text', { x: MARGIN.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, index === all.length - 1 ? `${value} %` : value),
      ]),
      ticks(Math.max(lowX, this.axis === 'trial' ? 1 : 0), highX, this.axis === 'trial' ? Math.min(fit * 2, Math.ceil(highX)) : fit)
        .filter((value) => this.axis !== 'trial' || Number.isInteger(value))
        .map((value) => [
          s('line.tick', { x1: x(value), x2: x(value), y1: bottom, y2: bottom + 4 }),
          s('text', { x: x(value), y: bottom + 18, 'text-anchor': 'middle' }, AXES[this.axis].tick(value)),
        ]),
      s('line.base', { x1: MARGIN.left, x2: width - MARGIN.right, y1: bottom, y2: bottom }),
      s('text.axis-name', { x: MARGIN.left + (width - MARGIN.left - MARGIN.right) / 2, y: this.height - 6, 'text-anchor': 'middle' }, AXES[this.axis].words)));
  }

  drawLines(x, y, highX) {
    const baseline = this.points.find((point) => point.isBaseline);
    if (baseline) {
      append(this.svg, s('line.baseline', { x1: x(baseline.x[this.axis]), x2: x(highX), y1: y(baseline.score), y2: y(baseline.score) }));
    }
    if (this.estimates.length > 1) {
      append(this.svg, s('path.estimate-line', { d: this.estimates.map((one, index) => `${index ? 'L' : 'M'}${x(one.x[this.axis]).toFixed(1)} ${y(one.estimate).toFixed(1)}`).join('') }));
    }
    let path = '';
    for (const point of [...this.points].sort((a, b) => a.x[this.axis] - b.x[this.axis])) {
      if (point.bestSoFar === undefined) continue;
      const at = x(point.x[this.axis]).toFixed(1);
      path += path ? `H${at}V${y(point.bestSoFar).toFixed(1)}` : `M${at} ${y(point.bestSoFar).toFixed(1)}`;
    }
    if (path) append(this.svg, s('path.best-line', { d: path }));
  }

  point(point, cx, y, index) {
    const cy = y(point.score);
    const words = `Trial ${point.trial}, ${point.run.name}: ${score(point.score)}${point.interval ? `, 95 % interval ${interval(point.interval)}` : ''}${point.isBest ? ', the best' : ''}${point.isBaseline ? ', the baseline' : ''}`;
    const node = s('a', {
      class: `point ${point.isMinibatch ? 'mini' : 'full'} ${point.isBest ? 'is-best' : ''}`, href: `#/runs/${point.run.runId}`, tabindex: index === 0 ? '0' : '-1',
      'aria-label': visible(words), 'data-id': point.run.runId,
    },
    point.interval ? s('path.range', { d: `M${cx} ${y(point.interval[0])}V${y(point.interval[1])}m-3 0h6M${cx - 3} ${y(point.interval[0])}h6` }) : null,
    s('circle.hit', { cx, cy, r: 13 }),
    point.isBest ? s('circle.ring', { cx, cy, r: 9.5 }) : null,
    point.isMinibatch ? s('circle.dot', { cx, cy, r: 4 }) : s('rect.dot', { x: cx - 4.5, y: cy - 4.5, width: 9, height: 9, rx: 1.5 }));
    node.addEventListener('click', (event) => {
      if (event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      this.onOpen(point);
    });
    node.addEventListener('pointerenter', () => this.showTip(point, cx, cy));
    node.addEventListener('focus', () => {
      for (const other of this.svg.querySelectorAll('.point')) other.setAttribute('tabindex', other === node ? '0' : '-1');
      this.showTip(point, cx, cy);
    });
    node.addEventListener('pointerleave', () => { this.tip.hidden = true; });
    node.addEventListener('blur', () => { this.tip.hidden = true; });
    return node;
  }

  showTip(point, cx, cy) {
    replace(this.tip,
      h('strong', h('bdi', visible(point.run.name))), h('span', `${score(point.score)} `, point.interval ? h('span.faint', `95 %: ${interval(point.interval)}`) : null),
      h('span.faint', [`trial ${point.trial}`, point.rows === undefined ? null : `${count(point.rows)} rows`, point.x.calls ? `${count(point.x.calls)} calls` : null, point.x.cost ? money(point.x.cost) : null].filter(Boolean).join(' · ')),
      point.choice ? h('span.faint.tip-words', visible(point.choice)) : null,
      point.note?.estimate === undefined ? null : h('span.faint', `estimated ${point.note.estimate.toFixed(1)} before`));
    this.tip.hidden = false;
    const { clientWidth } = this.element;
    const half = this.tip.offsetWidth / 2;
    place(this.tip, {
      left: `${Math.min(Math.max(cx, half + 4), clientWidth - half - 4)}px`,
      top: `${cy - this.tip.offsetHeight - 16 > -30 ? cy - this.tip.offsetHeight - 16 : cy + 18}px`,
    });
  }
}

/** What the signs of the chart mean. */
export function legend(hasEstimates = false) {
  const sign = (...shapes) => s('svg', { viewBox: '0 0 26 14', width: 26, height: 14, 'aria-hidden': 'true', class: 'chart' }, shapes);
  return h('ul.legend', { 'aria-label': 'Legend of the chart' },
    h('li', sign(s('g.point.full', s('rect.dot', { x: 8.5, y: 2.5, width: 9, height: 9, rx: 1.5 }))), 'all rows'),
    h('li', sign(s('g.point.mini', s('circle.dot', { cx: 13, cy: 7, r: 4 }))), 'minibatch'),
    h('li', sign(s('path.best-line', { d: 'M2 10H13V4H24' })), 'best so far'),
    hasEstimates ? h('li', sign(s('path.estimate-line', { d: 'M2 10L10 6L16 8L24 3' })), 'estimates of probes') : null,
    h('li', sign(s('line.baseline', { x1: 2, x2: 24, y1: 7, y2: 7 })), 'baseline'),
    h('li', sign(s('g.point.full', s('path.range', { d: 'M13 1V13m-3 0h6M10 1h6' }))), '95 % interval'));
}
