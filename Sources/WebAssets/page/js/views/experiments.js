// All experiments.

import { h, replace } from '../dom.js';
import { ago, count } from '../format.js';
import { address, locate } from '../router.js';
import { call, pages } from '../rpc.js';
import { inline } from '../text.js';
import { copyButton, empty, loading, pill } from '../ui.js';

const FIRST = `hone compile --program "question -> answer" --optimizer MIPROv2 --auto light \\
  --trainset word-problems:train --valset word-problems:val --metric numeric_match \\
  --lm simulated --experiment first`;

async function load(signal) {
  const list = [];
  await pages('listExperiments', { maxResults: 1000 }, (page) => { list.push(...page.experiments); }, { signal });
  return list.sort((a, b) => (b.lastRunTime ?? '').localeCompare(a.lastRunTime ?? '') || Number(b.experimentId) - Number(a.experimentId));
}

function row(experiment) {
  const target = address(['experiments', experiment.experimentId]);
  return h('tr', { onClick: (event) => { if (!event.target.closest('a')) location.hash = target; } },
    h('th', { scope: 'row' }, h('span.name-line', h('a', { href: target }, inline(experiment.name)),
      experiment.running ? pill(`${count(experiment.running)} running`, 'live') : null)),
    h('td.number', count(experiment.topRuns)), h('td.number.wide', count(experiment.runs)),
    h('td', experiment.lastRunTime ? h('time', { datetime: experiment.lastRunTime }, ago(experiment.lastRunTime)) : ''),
    h('td.faint.wide', inline(experiment.tags['mlflow.note.content'] ?? '', 200)));
}

function draw(list, body, words) {
  const all = list.filter((experiment) => experiment.runs > 0 || experiment.experimentId !== '0');
  const used = all.filter((experiment) => experiment.name.toLowerCase().includes(words.trim().toLowerCase()));
  if (all.length && !used.length) {
    replace(body, empty('No experiment with this name'));
    return;
  }
  if (!used.length) {
    replace(body, empty('No runs yet',
      h('p', 'Every optimization and evaluation is tracked here automatically. This one needs no key and no network:'),
      h('div.snippet', h('pre', FIRST), copyButton(FIRST)),
      h('p.faint', 'Run it anywhere on this machine with the same store; this page follows it live.')));
    return;
  }
  replace(body, h('div.table-box', { role: 'region', 'aria-label': 'Experiments', tabindex: '0' }, h('table.list',
    h('thead', h('tr', h('th', { scope: 'col' }, 'Experiment'), h('th.number', { scope: 'col' }, 'Runs'),
      h('th.number.wide', { scope: 'col' }, 'With candidates'), h('th', { scope: 'col' }, 'Last run'), h('th.wide', { scope: 'col' }, 'Note'))),
    h('tbody', used.map(row)))));
}

export async function showExperiments(place) {
  locate('Experiments', [['Experiments']]);
  const body = h('div', loading());
  let list = [];
  const search = h('input', {
    type: 'search', 'aria-label': 'Find an experiment', placeholder: 'Find an experiment', 'data-search': '', value: place.query.get('find') ?? '',
    onInput: () => { place.set({ find: search.value }); draw(list, body, search.value); },
  });
  replace(place.main, h('div.view', h('div.head', h('h1', 'Experiments'), h('span.spacer'), search), body));
  let shown;
  const refresh = async () => {
    list = await load(place.signal);
    const text = JSON.stringify(list);
    if (text === shown || body.contains(document.activeElement)) return;
    shown = text;
    draw(list, body, search.value);
  };
  await refresh();
  place.every(4000, refresh);
}

/** An experiment by its id. */
export async function experimentOf(id, signal) {
  const list = await load(signal);
  const found = list.find((experiment) => experiment.experimentId === id);
  if (found) return found;
  await call('listRuns', { experimentId: id, maxResults: 1 }, { signal });
  return { experimentId: id, name: `Experiment ${id}`, tags: {}, runs: 0 };
}
