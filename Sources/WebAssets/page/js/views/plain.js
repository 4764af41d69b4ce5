// A run that is no optimization and no evaluation: whatever an MLflow client logged, and the runs below it.

import { h, replace } from '../dom.js';
import { ago, dateTime, duration, metric } from '../format.js';
import { secondsOf, statusOf } from '../model/run.js';
import { dataView } from '../parts/data.js';
import { valuesView } from '../parts/values.js';
import { address } from '../router.js';
import { call, pages } from '../rpc.js';
import { inline } from '../text.js';
import { empty, loading, pill } from '../ui.js';

const MOST_FIGURES = 8;

async function childrenTab(panel, { run, place }) {
  replace(panel, loading());
  const found = [];
  await pages('listRuns', { parentRunId: run.runId, orderBy: ['start_time ASC'], select: ['metrics.*', 'tags.hone.status'], maxResults: 500 }, (page) => { found.push(...page.runs); }, { signal: place.signal });
  const names = [...new Set(found.flatMap((one) => Object.keys(one.metrics)))].sort().slice(0, MOST_FIGURES);
  replace(panel, found.length ? h('div.table-box', { role: 'region', 'aria-label': 'Child runs', tabindex: '0' }, h('table.list',
    h('thead', h('tr', h('th', { scope: 'col' }, 'Run'), h('th', { scope: 'col' }, 'Status'), names.map((name) => h('th.number', { scope: 'col' }, inline(name, 40))), h('th', { scope: 'col' }, 'Started'), h('th.number', { scope: 'col' }, 'Took'))),
    h('tbody', found.map((one) => {
      const [words, tone] = statusOf(one);
      const target = address(['runs', one.runId]);
      return h('tr', { onClick: (event) => { if (!event.target.closest('a')) location.hash = target; } }, h('th', { scope: 'row' }, h('a', { href: target }, inline(one.name, 80))), h('td', pill(words, tone)),
        names.map((name) => h('td.number', one.metrics[name] === undefined ? '' : metric(one.metrics[name]))),
        h('td', h('time', { datetime: one.startTime, title: dateTime(one.startTime) }, ago(one.startTime))), h('td.number', duration(secondsOf(one))));
    })))) : empty('No child runs'));
}

/** The tabs and the figures of the page of any other run. */
export async function plainTabs(context) {
  const summary = h('section.figures', { 'aria-label': 'Key figures' });
  const draw = () => {
    const entries = Object.entries(context.run.metrics).sort(([a], [b]) => a.localeCompare(b)).slice(0, MOST_FIGURES);
    summary.hidden = !entries.length;
    replace(summary, entries.map(([name, value]) => h('div.figure', h('span.figure-words', inline(name, 40)), h('span.figure-value', metric(value)))));
  };
  draw();
  context.onChange(draw);
  const tabs = [
    ['values', 'Parameters and metrics', (panel) => valuesView(panel, context)],
    ['data', 'Data', (panel) => dataView(panel, context)],
  ];
  if (context.run.children > 0) tabs.unshift(['children', 'Child runs', (panel) => childrenTab(panel, context)]);
  // Only a run that kept a program has one to be got back.
  const { files } = await call('listArtifacts', { runId: context.run.runId }, { signal: context.place.signal });
  const hasProgram = files.some(({ path }) => path === 'model.json' || path === 'best_model.json');
  return { summary, tabs, hasProgram };
}
