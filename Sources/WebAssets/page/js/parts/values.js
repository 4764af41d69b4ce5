// The parameters, metrics and tags of a run.

import { h, replace } from '../dom.js';
import { count, metric } from '../format.js';
import { inline, visible } from '../text.js';
import { copyButton } from '../ui.js';
import { course, courses } from './course.js';

const MOST_DRAWN = 12;

function table(title, entries, isNumber) {
  if (!entries.length) return h('section.card', h('h2', title), h('p.faint', 'None'));
  return h('section.card.flush', h('h2', title, h('small.faint', ` ${count(entries.length)}`)), h('table.values', h('tbody', entries.map(([key, value]) => h('tr', h('th', { scope: 'row' }, inline(key, 250)), h('td', { class: isNumber ? 'number' : '', dir: 'auto' }, isNumber ? h('span', { title: String(value) }, metric(value)) : visible(value)))))));
}

export function valuesView(panel, context) {
  const body = h('div.values-body');
  const draw = (words = '') => {
    const { run } = context;
    const match = (object) => Object.entries(object).filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(words.toLowerCase()));
    const drawn = courses(run.history).filter(([name]) => name.toLowerCase().includes(words.toLowerCase()));
    replace(body, h('div.stack', table('Parameters', match(run.params)), table('Tags', match(run.tags))),
      h('div.stack', table('Metrics', match(run.metrics), true), drawn.slice(0, MOST_DRAWN).map(([name, points]) => course(name, points))));
  };
  draw();
  context.onChange(() => draw(panel.querySelector('input')?.value));
  replace(panel, h('div.toolbar', h('input', { type: 'search', 'aria-label': 'Find a parameter, metric or tag', placeholder: 'Find a parameter, metric or tag', 'data-search': '', onInput: (event) => draw(event.target.value) }),
    copyButton(() => JSON.stringify({ params: context.run.params, metrics: context.run.metrics, tags: context.run.tags }, null, 2), 'Copy as JSON')), body);
}
