// Candidates × examples: what each candidate fixed and broke against the program as it was.

import { h, icon, replace } from '../dom.js';
import { count, plural, score } from '../format.js';
import { examplesOf, outcome, question, resultsOf } from '../model/results.js';
import { address } from '../router.js';
import { inline, visible } from '../text.js';
import { empty, loading, segments } from '../ui.js';

const MOST_COLUMNS = 250;
const SIGNS = { fixed: '+', broken: '−', failed: '!', right: '', wrong: '', partly: '', none: '' };
const WORDS = { fixed: 'fixed', broken: 'broken', failed: 'failed', right: 'right, as before', wrong: 'wrong, as before', partly: 'partly right', none: 'not evaluated' };

/**
 * The grid of `list` (`[{run, score, isBest, isBaseline, isMinibatch}]`), each against `baseline` (a run's id).
 * Cells lead to traces.
 */
class Grid {
  constructor({ list, results, baseline, examples, place }) {
    Object.assign(this, { list, results, baseline, examples, place });
    this.kind = place.query.get('rows') ?? 'all';
    this.candidates = place.query.get('candidates') ?? 'all';
    this.from = 0;
    this.box = h('div.grid-box', { role: 'region', 'aria-label': 'Candidates by examples', tabindex: '0' });
    this.detail = h('div.grid-detail', { role: 'status' });
    this.before = results.get(baseline) ?? new Map();
  }

  rows() {
    const all = new Set();
    for (const cells of this.results.values()) for (const row of cells.keys()) all.add(row);
    const rows = [...all].sort((a, b) => a - b);
    if (this.kind === 'all') return rows;
    return rows.filter((row) => {
      const outcomes = this.shownList().map((one) => outcome(this.results.get(one.run.runId)?.get(row), this.before.get(row)));
      if (this.kind === 'changed') return outcomes.some((one) => one === 'fixed' || one === 'broken');
      const best = this.list.find((one) => one.isBest) ?? this.list[this.list.length - 1];
      const cell = this.results.get(best.run.runId)?.get(row);
      return cell && (cell.score ?? 0) < 1;
    });
  }

  shownList() {
    return this.candidates === 'full' ? this.list.filter((one) => !one.isMinibatch) : this.list;
  }

  element() {
    const choices = h('div.toolbar',
      segments('Which examples', [['all', 'All examples'], ['changed', 'Fixed or broken'], ['wrong', 'Still wrong with the best']], this.kind, (kind) => { this.kind = kind; this.from = 0; this.place.set({ rows: kind === 'all' ? '' : kind }); this.draw(); }),
      this.list.some((one) => one.isMinibatch) ? segments('Which candidates', [['all', 'All candidates'], ['full', 'On all rows']], this.candidates, (value) => { this.candidates = value; this.place.set({ candidates: value === 'all' ? '' : value }); this.draw(); }) : null,
      h('ul.legend.grid-legend', { 'aria-label': 'Legend of the grid' }, ['fixed', 'broken', 'right', 'wrong', 'failed', 'none'].map((name) => h('li', h('span', { class: `cell ${name}`, 'aria-hidden': 'true' }, SIGNS[name]), WORDS[name]))));
    this.pager = h('div.below');
    this.draw();
    return h('div', choices, this.box, this.pager, this.detail);
  }

  draw() {
    const rows = this.rows();
    const columns = rows.slice(this.from, this.from + MOST_COLUMNS);
    const list = this.shownList();
    replace(this.pager, h('p.faint.count', plural(rows.length, 'example'), rows.length > MOST_COLUMNS ? `, ${this.from + 1}–${Math.min(this.from + MOST_COLUMNS, rows.length)} shown` : ''),
      this.from > 0 ? h('button', { onClick: () => { this.from -= MOST_COLUMNS; this.draw(); } }, 'Previous') : null,
      this.from + MOST_COLUMNS < rows.length ? h('button', { onClick: () => { this.from += MOST_COLUMNS; this.draw(); } }, 'Next') : null);
    if (!columns.length) { replace(this.box, h('p.faint.pad', 'No matching examples.')); return; }
    const solved = (row) => {
      const cells = list.map((one) => this.results.get(one.run.runId)?.get(row)).filter((cell) => cell?.score !== undefined);
      return cells.length ? cells.filter((cell) => cell.score >= 1).length / cells.length : undefined;
    };
    const table = h('table.grid', { role: 'grid', 'aria-label': 'What each candidate fixed and broke', 'aria-rowcount': String(list.length + 1), 'aria-colcount': String(columns.length + 2) },
      h('thead', h('tr', { role: 'row' }, h('th', { scope: 'col', role: 'columnheader', class: 'corner' }, 'Candidate'), h('th', { scope: 'col', role: 'columnheader', class: 'number tally' }, '+ / −'),
        columns.map((row) => h('th', { scope: 'col', role: 'columnheader', class: 'row-number' }, row % 5 === 0 || columns.length < 30 ? row : h('span.offscreen', row))))),
      h('tbody', list.map((one, at) => this.line(one, columns, at))),
      h('tfoot', h('tr', { role: 'row' }, h('th', { scope: 'row', role: 'rowheader', class: 'corner faint' }, 'Share that solved it'), h('td', { role: 'gridcell' }),
        columns.map((row) => {
          const share = solved(row);
          const bar = h('span.share', { title: share === undefined ? '' : `${Math.round(share * 100)} % solve row ${row}` });
          bar.style.height = `${Math.round((share ?? 0) * 22)}px`;
          return h('td', { role: 'gridcell' }, bar);
        }))));
    table.addEventListener('keydown', (event) => this.onKey(event));
    table.addEventListener('focusin', (event) => this.tell(event.target.closest('[data-row]')));
    table.addEventListener('pointerover', (event) => this.tell(event.target.closest('[data-row]')));
    replace(this.box, table);
    const first = table.querySelector('a.cell');
    if (first) first.tabIndex = 0;
  }

  line(one, columns, at) {
    const cells = this.results.get(one.run.runId) ?? new Map();
    let fixed = 0;
    let broken = 0;
    for (const [row, cell] of cells) {
      const is = outcome(cell, this.before.get(row));
      if (is === 'fixed') fixed += 1;
      if (is === 'broken') broken += 1;
    }
    const isBaseline = one.run.runId === this.baseline;
    return h('tr', { role: 'row', class: one.isBest ? 'is-best' : '' },
      h('th', { scope: 'row', role: 'rowheader', class: 'corner' }, h('span.name-line', h('a', { href: address(['runs', one.run.runId]) }, inline(one.run.name, 40)), one.isBest ? h('span.best', icon('star'), h('span', 'best')) : null, h('small.faint', score(one.score)))),
      h('td', { role: 'gridcell', class: 'number tally' }, isBaseline ? h('small.faint', 'baseline') : [h('span.good-text', `+${count(fixed)}`), ' ', h('span.bad-text', `−${count(broken)}`)]),
      columns.map((row) => {
        const cell = cells.get(row);
        const is = outcome(cell, isBaseline ? undefined : this.before.get(row));
        const props = { class: `cell ${is}`, 'data-row': row, 'data-at': at, 'data-is': is };
        const words = `${one.run.name}, row ${row}: ${WORDS[is]}`;
        return h('td', { role: 'gridcell' }, cell?.traceId
          ? h('a', { ...props, href: address(['traces', cell.traceId]), tabindex: '-1', 'aria-label': visible(words) }, SIGNS[is])
          : h('span', { ...props, role: 'img', 'aria-label': visible(words) }, SIGNS[is]));
      }));
  }

  tell(cell) {
    if (!cell) return;
    const row = Number(cell.dataset.row);
    const one = this.shownList()[Number(cell.dataset.at)];
    if (!one || this.told === `${row} ${one.run.runId}`) return;
    this.told = `${row} ${one.run.runId}`;
    const example = this.examples.get(row);
    replace(this.detail, h('strong', `Row ${row}`), ' ', h('span', { class: `verdict ${cell.dataset.is === 'fixed' || cell.dataset.is === 'right' ? 'good' : 'bad'}` }, WORDS[cell.dataset.is]), ' ', h('span.faint', inline(one.run.name, 40)),
      example ? h('p', { dir: 'auto' }, visible(question(example)).slice(0, 400)) : null);
  }

  onKey(event) {
    const cell = event.target.closest('a.cell');
    if (!cell) return;
    const line = cell.closest('tr');
    const index = [...line.children].indexOf(cell.parentElement);
    const step = (from, next, pick) => {
      for (let at = next(from); at; at = next(at)) { const found = pick(at); if (found) return found; }
      return undefined;
    };
    const to = {
      ArrowRight: () => step(cell.parentElement, (td) => td.nextElementSibling, (td) => td.querySelector('a.cell')),
      ArrowLeft: () => step(cell.parentElement, (td) => td.previousElementSibling, (td) => td.querySelector('a.cell')),
      ArrowDown: () => step(line, (tr) => tr.nextElementSibling, (tr) => tr.children[index]?.querySelector('a.cell')),
      ArrowUp: () => step(line, (tr) => tr.previousElementSibling, (tr) => tr.children[index]?.querySelector('a.cell')),
    }[event.key]?.();
    if (!to) return;
    cell.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
    event.preventDefault();
  }
}

/** Fills a panel with the grid of a search. */
export async function gridView(panel, { place, candidates }) {
  const list = candidates.list.filter((one) => !one.isLive);
  if (!list.length) {
    replace(panel, empty('No candidate is done yet', h('p', 'Each candidate becomes a line here and each example a column.')));
    return;
  }
  const key = list.map((one) => one.run.runId).join();
  if (panel.gridKey === key && panel.querySelector('.grid')) return;
  panel.gridKey = key;
  if (!panel.querySelector('.grid')) replace(panel, loading());
  await gridOf(panel, { place, list, baseline: candidates.baseline?.run.runId ?? list[0].run.runId });
}

/** Fills a panel with the grid of any evaluations against one of them. */
export async function gridOf(panel, { place, list, baseline }) {
  const results = await resultsOf(list.map((one) => one.run), place.signal);
  const widest = [...results].sort((a, b) => b[1].size - a[1].size)[0];
  if (!widest?.[1].size) {
    replace(panel, empty('No scores by example', h('p', 'These runs stored no results by example.')));
    return;
  }
  const examples = await examplesOf(widest[0], place.signal);
  replace(panel, new Grid({ list, results, baseline, examples, place }).element());
}
