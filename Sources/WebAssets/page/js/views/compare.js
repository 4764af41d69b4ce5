// Runs side by side: metrics, parameters, programs, examples; the first is what the others are compared with.

import { h, replace } from '../dom.js';
import { dateTime, duration, metric, plural, score } from '../format.js';
import { Candidates } from '../model/candidates.js';
import { programOf } from '../model/program.js';
import { choiceOf, kindOf, scoreOf, secondsOf, statusOf } from '../model/run.js';
import { gridOf } from '../parts/grid.js';
import { programDiff } from '../parts/program-diff.js';
import { verdict } from '../parts/verdict.js';
import { address, locate } from '../router.js';
import { call } from '../rpc.js';
import { inline, visible } from '../text.js';
import { empty, iconButton, loading, tabs } from '../ui.js';

/** A run's stand-in where examples are asked for: the best candidate of a search. */
async function evaluated(run, signal) {
  if (run.tags['hone.bestRunId'] || kindOf(run) !== 'compile') return run.tags['hone.bestRunId'] ?? run.runId;
  const candidates = new Candidates(run.runId, signal);
  await candidates.refresh();
  return candidates.best?.run.runId ?? run.runId;
}

function table(runs, title, keys, cell, { isNumber = false, onlyDifferent = false, best } = {}) {
  const rows = keys.map((key) => ({ key, values: runs.map((run) => cell(run, key)) }))
    .map((row) => ({ ...row, isDifferent: new Set(row.values.map((value) => JSON.stringify(value ?? null))).size > 1 }))
    .filter((row) => !onlyDifferent || row.isDifferent);
  if (!rows.length) return h('section.card', h('h2', title), h('p.faint', keys.length ? 'No differences.' : 'None'));
  return h('section.card.flush', h('h2', title), h('div.table-box', { role: 'region', 'aria-label': title, tabindex: '0' }, h('table.list.compare', h('thead', h('tr', h('th', { scope: 'col' }, 'Name'), runs.map((run) => h('th', { scope: 'col', class: isNumber ? 'number' : '' }, h('a', { href: address(['runs', run.runId]) }, inline(run.name, 40)))))),
    h('tbody', rows.map((row) => {
      const numbers = row.values.filter((value) => typeof value === 'number');
      const top = row.isDifferent && best?.test(row.key) && numbers.length > 1 ? Math.max(...numbers) : undefined;
      return h('tr', { class: row.isDifferent ? 'different' : '' }, h('th', { scope: 'row' }, inline(row.key, 120)), row.values.map((value) => h('td', { class: `${isNumber ? 'number' : ''} ${value !== undefined && value === top ? 'winner' : ''}`, dir: 'auto' }, value === undefined ? h('span.faint', '–') : isNumber ? metric(value) : visible(value).slice(0, 2000))));
    })))));
}

function heads(place, runs, ids) {
  const without = (id) => { location.hash = address(['compare'], { runs: ids.filter((other) => other !== id).join(',') }); };
  const first = (id) => { location.hash = address(['compare'], { runs: [id, ...ids.filter((other) => other !== id)].join(',') }); };
  return h('ul.compare-heads', runs.map((run, index) => {
    const [words] = statusOf(run);
    return h('li.card', h('div.name-line', h('a', { href: address(['runs', run.runId]) }, inline(run.name, 60)), h('span.spacer'), runs.length > 2 ? iconButton(`Remove ${visible(run.name)}`, 'close', () => without(run.runId)) : null),
      h('div.figure-value', score(scoreOf(run))), h('p.faint', [words, dateTime(run.startTime), duration(secondsOf(run)), choiceOf(run)].filter(Boolean).join(' · ')),
      index === 0 ? h('small.faint', 'The others are compared with this one') : h('button.link', { onClick: () => first(run.runId) }, 'Compare with this one'));
  }));
}

async function valuesTab(panel, runs) {
  const body = h('div.stack');
  const draw = (onlyDifferent) => {
    const keysOf = (group) => [...new Set(runs.flatMap((run) => Object.keys(run[group])))].sort();
    replace(body, table(runs, 'Metrics', keysOf('metrics'), (run, key) => run.metrics[key], { isNumber: true, onlyDifferent, best: /score|eval|accuracy/ }),
      table(runs, 'Parameters', keysOf('params'), (run, key) => run.params[key], { onlyDifferent }), table(runs, 'Tags', keysOf('tags').filter((key) => !/^mlflow\.(loggedArtifacts|log-model)/.test(key)), (run, key) => run.tags[key], { onlyDifferent }));
  };
  draw(false);
  replace(panel, h('div.toolbar', h('label.choice', h('input', { type: 'checkbox', onChange: (event) => draw(event.target.checked) }), h('span', 'Only differences'))), body);
}

async function examplesTab(panel, place, runs) {
  const ids = await Promise.all(runs.map((run) => evaluated(run, place.signal)));
  const { comparisons } = await call('compareRuns', { runIds: ids }, { signal: place.signal });
  const names = new Map(runs.map((run, index) => [ids[index], run.name]));
  const grid = h('div', loading());
  replace(panel, h('div.two', comparisons.map((one) => h('section.card', h('h2', inline(names.get(one.runId), 60), h('small.faint', ' against ', inline(runs[0].name, 60))), verdict(one.comparison, [visible(names.get(one.runId)), visible(runs[0].name)])))), grid);
  // Rows are told apart by their numbers, which mean the same only where the data are the same.
  const isComparable = new Set(comparisons.filter((one) => one.common > 0).map((one) => one.runId));
  const list = runs.map((run, index) => ({ run: { ...run, runId: ids[index] }, score: scoreOf(run) }))
    .filter(({ run }, index) => index === 0 || isComparable.has(run.runId));
  if (list.length < 2) { grid.remove(); return; }
  await gridOf(grid, { place, list, baseline: ids[0] });
}

async function programsTab(panel, place, runs) {
  const programs = await Promise.all(runs.map((run) => programOf(run, 'best', place.signal)));
  if (!programs.some(Boolean)) { replace(panel, empty('No programs', h('p', 'None of these runs stored a program.'))); return; }
  const body = h('div');
  const show = (index) => replace(body, programDiff(programs[0], programs[index], [visible(runs[0].name), visible(runs[index].name)]));
  replace(panel, runs.length > 2 ? h('div.toolbar', h('span.picker', h('label', { for: 'other-program' }, 'Compare the first with'), h('select', { id: 'other-program', onChange: (event) => show(Number(event.target.value)) }, runs.slice(1).map((run, at) => h('option', { value: at + 1 }, visible(run.name)))))) : null, body);
  show(1);
}

export async function showCompare(place) {
  const ids = [...new Set((place.query.get('runs') ?? '').split(',').filter(Boolean))].slice(0, 20);
  locate('Compare', [['Experiments', '#/'], ['Compare']]);
  if (ids.length < 2) {
    replace(place.main, h('div.view', h('h1', 'Compare'), empty('Choose two runs or more', h('p', 'Select them in an experiment\'s list, then press Compare.'))));
    return;
  }
  replace(place.main, h('div.view', h('h1', 'Compare'), loading()));
  const runs = await Promise.all(ids.map(async (runId) => {
    const { run, children } = await call('getRun', { runId }, { signal: place.signal });
    return { ...run, children };
  }));
  const crumbs = [['Experiments', '#/']];
  if (new Set(runs.map((run) => run.experimentId)).size === 1) crumbs.push(['Runs', `#/experiments/${runs[0].experimentId}`]);
  locate('Compare', [...crumbs, ['Compare']]);
  const bar = tabs('Comparison', [
    ['values', 'Metrics and parameters', (panel) => valuesTab(panel, runs)],
    ['programs', 'Programs', (panel) => programsTab(panel, place, runs)],
    ['examples', 'Examples', (panel) => examplesTab(panel, place, runs)],
  ], place.parts[1], (key) => { place.parts = ['compare', key]; place.set({}); });
  replace(place.main, h('div.view', h('div.head', h('h1', `Compare ${plural(runs.length, 'run')}`)), heads(place, runs, ids), bar));
}
