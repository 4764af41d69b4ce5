// Which columns the table of runs has, and how each value is shown.

import { h, replace } from '../dom.js';
import { ago, count, dateTime, duration, interval, metric, money, score, short } from '../format.js';
import { intervalOf, NOTE, ownTags, scoreOf, secondsOf } from '../model/run.js';
import { remember, remembered } from '../prefs.js';
import { inline, visible } from '../text.js';
import { button, dialog } from '../ui.js';

const FIXED = {
  score: {
    words: 'Score', order: 'metrics.score', isNumber: true, needs: ['metrics.score', 'metrics.eval', 'metrics.eval_full', 'metrics.eval_low', 'metrics.eval_high'],
    cell: (run) => {
      const value = scoreOf(run);
      const range = intervalOf(run);
      return value === undefined ? '' : [score(value), range ? h('small.faint', ` ${interval(range)}`) : null];
    },
  },
  baseline: { words: 'Baseline', order: 'metrics.baseline_score', isNumber: true, needs: ['metrics.baseline_score'], cell: (run) => (run.metrics.baseline_score === undefined ? '' : score(run.metrics.baseline_score)) },
  started: { words: 'Started', order: 'start_time', needs: [], cell: (run) => h('time', { datetime: run.startTime, title: dateTime(run.startTime) }, ago(run.startTime)) },
  duration: { words: 'Duration', order: 'duration', isNumber: true, needs: [], cell: (run) => duration(secondsOf(run)) },
  calls: { words: 'Calls', order: 'metrics.calls', isNumber: true, needs: ['metrics.calls'], cell: (run) => (run.metrics.calls === undefined ? '' : short(run.metrics.calls)) },
  tokens: { words: 'Tokens', order: 'metrics.tokens', isNumber: true, needs: ['metrics.tokens'], cell: (run) => (run.metrics.tokens === undefined ? '' : short(run.metrics.tokens)) },
  cost: { words: 'Cost', order: 'metrics.cost', isNumber: true, needs: ['metrics.cost'], cell: (run) => (run.metrics.cost === undefined ? '' : money(run.metrics.cost)) },
  rows: { words: 'Rows', order: 'metrics.count', isNumber: true, needs: ['metrics.count'], cell: (run) => (run.metrics.count === undefined ? '' : count(run.metrics.count)) },
  note: { words: 'Note', order: `tags.\`${NOTE}\``, needs: [`tags.${NOTE}`], cell: (run) => inline(run.tags[NOTE] ?? '', 80) },
  tags: { words: 'Tags', needs: ['tags.*'], cell: (run) => ownTags(run).map(([key, value]) => h('span.tag', { title: visible(`${key}: ${value}`) }, inline(value ? `${key}: ${value}` : key, 40))) },
  user: { words: 'User', order: 'user_id', needs: [], cell: (run) => inline(run.user, 40) },
};

const DEFAULTS = ['score', 'baseline', 'params.optimizer', 'calls', 'cost', 'started', 'duration', 'note'];

/** A column by its key: one of the fixed, or `metrics.…`, `params.…`, `tags.…`. */
function columnOf(key) {
  if (FIXED[key]) return { key, ...FIXED[key] };
  const [, group, name] = /^(metrics|params|tags)\.(.+)$/s.exec(key) ?? [];
  if (!group) return undefined;
  const isNumber = group === 'metrics';
  return {
    key, words: name === 'optimizer' ? 'Optimizer' : visible(name), isNumber, order: `${group}.\`${name.replaceAll('`', '')}\``, needs: [key],
    cell: (run) => {
      const value = run[group][name];
      if (value === undefined) return '';
      return isNumber ? metric(value) : h('span', { title: visible(value).slice(0, 500) }, inline(value, 60));
    },
  };
}

/** The columns that the person chose; else those that are usual, with `others` (metrics' names) beside the score. */
export function chosenColumns(others = []) {
  const keys = remembered('columns', undefined);
  const usual = [DEFAULTS[0], ...others.map((name) => `metrics.${name}`), ...DEFAULTS.slice(1)];
  return (Array.isArray(keys) ? keys : usual).map(columnOf).filter(Boolean);
}

/** Whether the person chose the columns: else those without a value are left out. */
export function areColumnsChosen() {
  return Array.isArray(remembered('columns', undefined));
}

/** Whether a run has nothing to show in a column. */
export function isBlank(column, run) {
  const cell = column.cell(run);
  return cell === '' || (Array.isArray(cell) && cell.length === 0) || (cell instanceof Node && cell.textContent === '');
}

/** Metrics to show where runs have no score of an optimization: the first few by name. */
export function otherMetrics(keys) {
  return keys.metrics.some((name) => name === 'score' || name.startsWith('eval')) ? [] : keys.metrics.slice(0, 4);
}

/** Lets a person choose; resolves with true if something changed. */
export function chooseColumns(keys) {
  return dialog('Columns', (close) => {
    const chosen = new Set(chosenColumns(otherMetrics(keys)).map((column) => column.key));
    const groups = [
      ['All runs', Object.keys(FIXED)], ['Metrics', keys.metrics.map((key) => `metrics.${key}`)],
      ['Parameters', keys.params.map((key) => `params.${key}`)], ['Tags', keys.tags.map((key) => `tags.${key}`)],
    ];
    const list = h('div.choices');
    const draw = (words) => replace(list, groups.map(([title, names]) => {
      const found = names.filter((name) => (FIXED[name]?.words ?? name).toLowerCase().includes(words.toLowerCase()));
      if (!found.length) return null;
      return h('fieldset', h('legend', title), found.slice(0, 300).map((name) => h('label.choice',
        h('input', {
          type: 'checkbox', checked: chosen.has(name),
          onChange: (event) => { if (event.target.checked) chosen.add(name); else chosen.delete(name); },
        }), h('span', visible(FIXED[name]?.words ?? name.replace(/^\w+\./, ''))))));
    }));
    draw('');
    const save = (value) => { remember('columns', value); close(true); };
    return h('form', { onSubmit: (event) => { event.preventDefault(); save([...chosen]); } },
      h('input', { type: 'search', 'aria-label': 'Find a column', placeholder: 'Find a column', onInput: (event) => draw(event.target.value) }),
      list,
      h('div.dialog-foot', button('Reset', () => save(null)), h('button.primary', { type: 'submit' }, 'Apply')));
  });
}
