// The runs of an experiment as a tree of parents and children.

import { h, icon, replace } from '../dom.js';
import { plural } from '../format.js';
import { choiceOf, isLive, kindOf, KIND_WORDS, scoreOf, statusOf } from '../model/run.js';
import { describe } from '../model/candidates.js';
import { isBlank } from './columns.js';
import { address } from '../router.js';
import { inline, visible } from '../text.js';
import { pill } from '../ui.js';

/** What every row needs, whatever the columns. */
export const NEEDS = [
  'tags.hone.kind', 'tags.hone.status', 'tags.hone.trial', 'tags.mlflow.autologging', 'params.optimizer', 'params.trial',
  'metrics.eval*', 'metrics.score', 'metrics.coverage',
];

export class RunTable {
  /** `onExpand(run)` is asked for children that are not known yet; `onSelect()` hears of selections, `onSort(column)` of headers. */
  constructor({ onExpand, onSelect, onSort, label }) {
    this.hooks = { onExpand, onSelect, onSort };
    this.selected = new Map();
    this.open = new Set();
    this.children = new Map();
    this.roots = [];
    this.columns = [];
    this.sort = {};
    this.head = h('thead');
    this.body = h('tbody');
    this.table = h('table.runs', { role: 'treegrid', 'aria-label': label }, this.head, this.body);
    this.element = h('div.table-box', this.table);
    this.body.addEventListener('keydown', (event) => this.onKey(event));
  }

  /**
   * Draws `roots`, in their order; `context` are ids of runs that are shown only because a child of theirs is. Columns in
   * which no row has a value are left out if `isOnlyFilled`.
   */
  draw({ roots, columns, sort, context = new Set(), isOnlyFilled = false }) {
    Object.assign(this, { roots, sort, context, isOnlyFilled, allColumns: columns });
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest('tr')?.dataset.id : undefined;
    this.rows = [];
    for (const run of roots) this.collect(run, 1);
    this.columns = isOnlyFilled ? columns.filter((column) => column.key === sort.key || this.rows.some(({ run }) => !isBlank(column, run))) : columns;
    this.drawHead();
    replace(this.body, this.rows.map(({ run, level, note, isBest }, index) => this.row(run, level, note, isBest, index)));
    const row = focused && [...this.body.rows].find((candidate) => candidate.dataset.id === focused);
    if (row) row.focus();
    else if (this.body.rows[0]) this.body.rows[0].tabIndex = 0;
  }

  collect(run, level, note, isBest) {
    this.rows.push({ run, level, note, isBest });
    if (!this.open.has(run.runId)) return;
    const children = this.children.get(run.runId) ?? [];
    const candidates = describe(children, kindOf(run) === 'compile');
    const byId = new Map(candidates.map((candidate) => [candidate.run.runId, candidate]));
    const order = this.sort.key ? this.sorted(children) : candidates.map((candidate) => candidate.run);
    for (const child of order) {
      const candidate = byId.get(child.runId);
      this.collect(child, level + 1, candidate.isBaseline ? 'baseline' : '', candidate.isBest);
    }
  }

  sorted(children) {
    const { key, isDescending } = this.sort;
    const value = (run) => {
      if (key === 'score') return scoreOf(run);
      if (key === 'started') return new Date(run.startTime).getTime();
      if (key === 'duration') return run.duration;
      const [, group, name] = /^(metrics|params|tags)\.(.+)$/s.exec(key) ?? [];
      return group ? run[group][name] : undefined;
    };
    const sign = isDescending ? -1 : 1;
    return [...children].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    });
  }

  drawHead() {
    const all = this.roots.length > 0 && this.roots.every((run) => this.selected.has(run.runId));
    replace(this.head, h('tr', { role: 'row' },
      h('th.select', { role: 'columnheader', scope: 'col' }, h('input', {
        type: 'checkbox', 'aria-label': 'Select all', checked: all,
        onChange: (event) => {
          for (const run of this.roots) this.select(run, event.target.checked);
          this.changed();
        },
      })),
      h('th', { role: 'columnheader', scope: 'col' }, 'Run'),
      h('th', { role: 'columnheader', scope: 'col' }, 'Status'),
      this.columns.map((column) => {
        const isOn = this.sort.key === column.key;
        const direction = isOn ? (this.sort.isDescending ? 'descending' : 'ascending') : 'none';
        return h('th', { role: 'columnheader', scope: 'col', 'aria-sort': column.order ? direction : undefined, class: column.isNumber ? 'number' : '' },
          column.order ? h('button.sort', { class: isOn ? `on ${direction}` : '', title: `Sort by ${column.words}`, onClick: () => this.hooks.onSort(column) },
            h('span', column.words), icon('down')) : column.words);
      })));
  }

  row(run, level, note, isBest, index) {
    const isOpen = this.open.has(run.runId);
    const [words, tone] = statusOf(run);
    const kind = kindOf(run);
    const target = address(['runs', run.runId]);
    const isDeleted = run.lifecycleStage === 'deleted';
    return h('tr', {
      role: 'row', 'data-id': run.runId, 'aria-level': String(level), 'aria-expanded': run.children ? String(isOpen) : undefined, tabindex: '-1',
      'aria-selected': String(this.selected.has(run.runId)), class: `${this.context.has(run.runId) ? 'context' : ''} ${isDeleted ? 'deleted' : ''} ${level > 1 ? 'child' : ''}`,
      onFocus: (event) => {
        for (const row of this.body.querySelectorAll('tr[tabindex="0"]')) row.tabIndex = -1;
        event.currentTarget.tabIndex = 0;
      },
      onClick: (event) => {
        if (!event.target.closest('a, button, input')) location.hash = target;
      },
    },
    h('td.select', { role: 'gridcell' }, h('input', {
      type: 'checkbox', tabindex: '-1', 'aria-label': `Select ${visible(run.name)}`, checked: this.selected.has(run.runId),
      onChange: (event) => { this.select(run, event.target.checked); this.changed(); },
    })),
    h('td.name', { role: 'gridcell', class: `level-${Math.min(level, 4)}` }, h('div.name-line',
      run.children ? h('button.twist', {
        tabindex: '-1', 'aria-label': `${isOpen ? 'Close' : 'Open'} ${plural(run.children, 'child', 'children')} of ${visible(run.name)}`, class: isOpen ? 'open' : '',
        onClick: () => this.toggle(run),
      }, icon('chevron')) : h('span.twist'),
      h('a', { href: target, tabindex: '-1' }, inline(run.name, 80)),
      isBest ? h('span.best', { title: 'The best of this search' }, icon('star'), h('span', 'best')) : null,
      note ? h('small.faint', note) : null,
      level === 1 ? h('small.faint', run.children ? `${KIND_WORDS[kind]} · ${kind === 'compile' ? plural(run.children, 'candidate') : plural(run.children, 'child', 'children')}` : KIND_WORDS[kind]) : h('small.faint.choice-words', choiceOf(run)))),
    h('td', { role: 'gridcell' }, isDeleted ? pill('Deleted', 'bad') : level > 1 && tone === 'good' ? h('small.faint', words) : pill(words, tone)),
    this.columns.map((column) => h('td', { role: 'gridcell', class: column.isNumber ? 'number' : '' }, column.cell(run))));
  }

  select(run, isOn) {
    if (isOn) this.selected.set(run.runId, run);
    else this.selected.delete(run.runId);
  }

  changed() {
    this.again();
    this.hooks.onSelect();
  }

  again() { this.draw({ ...this, columns: this.allColumns }); }

  async toggle(run, isOpen = !this.open.has(run.runId)) {
    if (isOpen) {
      this.open.add(run.runId);
      if (!this.children.has(run.runId)) this.children.set(run.runId, await this.hooks.onExpand(run));
    } else {
      this.open.delete(run.runId);
    }
    this.again();
  }

  /** Runs below which children may still come. */
  get openLive() { return this.rows?.filter(({ run }) => this.open.has(run.runId) && isLive(run)).map(({ run }) => run) ?? []; }

  onKey(event) {
    const row = event.target.closest('tr');
    if (!row || event.target.closest('input') && event.key !== 'Escape') return;
    const rows = [...this.body.rows];
    const index = rows.indexOf(row);
    const { run, level } = this.rows[index];
    const go = (to) => {
      if (!rows[to]) return;
      rows[to].focus();
      rows[to].scrollIntoView({ block: 'nearest' });
    };
    const keys = {
      ArrowDown: () => go(index + 1),
      ArrowUp: () => go(index - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (run.children && !this.open.has(run.runId) ? this.toggle(run, true) : go(index + 1)),
      ArrowLeft: () => {
        if (this.open.has(run.runId)) this.toggle(run, false);
        else if (level > 1) go(this.rows.findLastIndex((entry, at) => at < index && entry.level < level));
      },
      Enter: () => { if (event.target === row) location.hash = address(['runs', run.runId]); },
      x: () => { this.select(run, !this.selected.has(run.runId)); this.changed(); },
      ' ': () => { this.select(run, !this.selected.has(run.runId)); this.changed(); },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && event.target !== row) return;
    keys[event.key]();
    event.preventDefault();
  }
}
