// A search: how it went, where its candidates came from, what it took, what it found and whether that is better.

import { h, icon, replace } from '../dom.js';
import { count, duration, interval, money, natural, replyTroubles, score, short, signed } from '../format.js';
import { Candidates } from '../model/candidates.js';
import { noted } from '../model/family.js';
import { programOf } from '../model/program.js';
import { costOf, isLive, secondsOf } from '../model/run.js';
import { legend, SearchChart } from '../parts/chart.js';
import { dataView } from '../parts/data.js';
import { FamilyTree } from '../parts/family-tree.js';
import { gridView } from '../parts/grid.js';
import { programDiff } from '../parts/program-diff.js';
import { spendingView } from '../parts/spending.js';
import { verdict } from '../parts/verdict.js';
import { address } from '../router.js';
import { artifactJSON, call } from '../rpc.js';
import { inline, visible } from '../text.js';
import { button, empty, loading, segments } from '../ui.js';

const MOST_ROWS = 40;
const LAST_ROWS = 10;

/** The cumulative calls and cost at each trial, where the run has them. */
function course(run, key) {
  const found = new Map();
  for (const point of run.history[key] ?? []) found.set(point.step, typeof point.value === 'number' ? point.value : 0);
  return found;
}

/** Gives each candidate its places on the axes. */
function placed(list, run) {
  const calls = course(run, 'trial_calls');
  const cost = course(run, 'trial_cost');
  let rows = 0;
  let lastCalls = 0;
  let lastCost = 0;
  return list.map((candidate) => {
    rows += candidate.rows ?? 0;
    lastCalls = calls.get(candidate.trial) ?? (calls.size ? lastCalls : rows);
    lastCost = cost.get(candidate.trial) ?? lastCost;
    return { ...candidate, x: { trial: candidate.trial, calls: lastCalls, cost: lastCost } };
  });
}

class Search {
  constructor(context) {
    this.context = context;
    this.candidates = new Candidates(context.run.runId, context.place.signal);
    this.summary = h('section.figures', { 'aria-label': 'Key figures' });
    this.chart = new SearchChart({ onOpen: (candidate) => { location.hash = address(['runs', candidate.run.runId]); } });
    this.chartBody = h('div.chart-body');
    this.table = h('div.table-box', { role: 'region', 'aria-label': 'Candidates', tabindex: '0' });
    this.gain = h('div', loading());
    this.test = h('div');
    this.spending = h('div', loading());
    this.words = h('section.card.search-words', { hidden: true });
    this.descent = h('section.card', { hidden: true });
    this.family = new FamilyTree({
      place: context.place, runOf: (id) => this.candidates.byId(id)?.run, initial: () => programOf(this.run, 'initial', this.signal),
    });
    replace(this.descent, h('h2', 'Where the candidates came from'), this.family.element);
    this.trials = [];
    this.axis = context.place.query.get('x') ?? 'trial';
    this.sort = { key: 'trial', isDescending: false };
    this.comparisons = new Map();
    this.ready = this.refresh(true);
    context.onChange(() => this.refresh());
  }

  get run() { return this.context.run; }
  get signal() { return this.context.place.signal; }

  async refresh(isFirst = false) {
    const before = this.trials.length;
    let isChanged = await this.candidates.refresh();
    await this.takeNotes();
    isChanged ||= before !== this.trials.length;
    this.drawFigures();
    this.drawWords();
    if (!isChanged && !isFirst && isLive(this.run) === this.wasLive) return;
    this.wasLive = isLive(this.run);
    this.drawChart();
    this.drawTable();
    this.drawFamily();
    await this.compare();
    await this.drawTest();
    this.drawTable();
    this.drawFigures();
    await spendingView(this.spending, this.context);
    for (const listener of this.listeners ?? []) listener();
  }

  /** Learns what the search says of its candidates: with the run, or in the file that an imported one has. */
  async takeNotes() {
    let { trials } = this.run;
    if (!trials.length && !isLive(this.run)) {
      this.kept ??= artifactJSON(this.run.runId, 'trials.json', { signal: this.signal });
      trials = (await this.kept)?.trials;
    }
    this.trials = noted(trials);
    const notes = new Map(this.trials.map((trial) => [trial.runId, trial.candidate]));
    for (const candidate of this.candidates.list) {
      candidate.note = notes.get(candidate.run.runId);
      if (candidate.note?.change) candidate.choice = candidate.note.change;
    }
  }

  drawWords() {
    const words = this.run.tags['hone.summary'];
    this.words.hidden = !words;
    replace(this.words, words ? [h('h2', 'What the search did'), h('p', { dir: 'auto' }, visible(words))] : null);
  }

  drawFamily() {
    this.descent.hidden = !this.trials.length;
    if (this.trials.length) this.family.setTrials(this.trials, this.candidates.best?.run.runId ?? this.run.tags['hone.bestRunId']);
  }

  /** Compares every candidate that is done with the program as it was. */
  async compare() {
    const { baseline, best } = this.candidates;
    const done = this.candidates.list.filter((candidate) => !candidate.isLive && candidate !== baseline);
    const unknown = done.filter((candidate) => !this.comparisons.has(candidate.run.runId)).map((candidate) => candidate.run.runId);
    if (baseline && !baseline.isLive) {
      for (let from = 0; from < unknown.length; from += 50) {
        const { comparisons } = await call('compareRuns', { runIds: [baseline.run.runId, ...unknown.slice(from, from + 50)] }, { signal: this.signal });
        for (const one of comparisons) this.comparisons.set(one.runId, one);
      }
    }
    if (!baseline || !best || best === baseline) {
      replace(this.gain, h('p.faint', isLive(this.run) ? 'No candidate besides the baseline was scored on all rows yet.'
        : best && best === baseline ? 'No candidate scored higher than the baseline, so the program is returned unchanged.' : 'Nothing to compare: no candidate was scored on all rows.'));
      return;
    }
    const found = this.comparisons.get(best.run.runId);
    replace(this.gain, verdict(found?.comparison, [visible(best.run.name), 'the baseline']),
      h('p', h('a', { href: address(['compare'], { runs: `${baseline.run.runId},${best.run.runId}` }) }, 'Compare the two in full')));
  }

  /** What the testset says, which no choice has seen. */
  async drawTest() {
    const [baseline, best] = this.candidates.tests;
    const { test_score: scored, score: chosen } = this.run.metrics;
    if (!baseline || typeof scored !== 'number') {
      replace(this.test, isLive(this.run) || this.run.metrics.score === undefined ? null : h('p.faint', 'The best program was chosen by these rows, so its gain is partly luck. Give a testset, and it is scored once on rows that the search never sees.'));
      return;
    }
    const gap = typeof chosen === 'number' ? h('p.faint', `Validation less test: ${signed(chosen - scored)} points.`) : null;
    if (!best) {
      replace(this.test, h('h3', 'On the testset'), h('p', 'No real gain: the best program is the one that came. It scores ', h('strong', score(scored)), ' on rows that the search never saw.'), gap);
      return;
    }
    const { comparisons: [one] } = await call('compareRuns', { runIds: [baseline.runId, best.runId] }, { signal: this.signal });
    const words = { better: 'A real gain.', worse: 'A real loss.' }[one?.comparison?.verdict] ?? 'No real gain.';
    replace(this.test, h('h3', 'On the testset'), h('p', h('strong', words), ' The search never saw these rows.'),
      verdict(one?.comparison, ['the best program', 'the baseline'], true), gap,
      h('p', h('a', { href: address(['compare'], { runs: `${baseline.runId},${best.runId}` }) }, 'Compare the two in full')));
  }

  drawFigures() {
    const { run } = this;
    const { baseline, best } = this.candidates;
    const found = best && this.comparisons.get(best.run.runId)?.comparison;
    const figure = (words, value, more, tone = '') => h('div', { class: `figure ${tone}` }, h('span.figure-words', words), h('span.figure-value', value), more ? h('span.figure-more', more) : null);
    const known = (value) => typeof value === 'number';
    const troubles = replyTroubles((best ?? baseline)?.run.metrics ?? {});
    const calls = run.metrics.calls ?? run.metrics.trial_calls;
    const cost = costOf(run);
    const bestScore = run.metrics.score ?? best?.score;
    const firstScore = run.metrics.baseline_score ?? baseline?.score;
    replace(this.summary,
      figure('Baseline', score(firstScore), baseline?.interval ? `95 %: ${interval(baseline.interval)}` : null),
      figure('Best', [score(bestScore), best && best !== baseline ? h('a.figure-link', { href: address(['runs', best.run.runId]), 'aria-label': 'Open the best candidate' }, icon('star')) : null], best?.interval ? `95 %: ${interval(best.interval)}` : null, 'accent'),
      figure('Gain', bestScore === undefined || firstScore === undefined ? '–' : signed(bestScore - firstScore), found ? (found.verdict === 'better' ? 'clear on the same rows' : found.verdict) : null, found?.verdict === 'better' ? 'good' : ''),
      known(run.metrics.test_score) ? figure('Test', score(run.metrics.test_score), `baseline ${score(run.metrics.test_baseline_score)}`) : null,
      figure('Candidates', count(this.candidates.list.length), `${count(this.candidates.list.filter((one) => !one.isMinibatch).length)} on all rows`),
      run.params.adapter || troubles.length ? figure('Replies', visible(run.params.adapter ?? 'chat'), troubles.join(', ') || 'all readable', (best ?? baseline)?.run.metrics.unreadable > 0.05 ? 'bad' : '') : null,
      known(calls) ? figure('Calls', short(calls), run.metrics.calls_cached ? `${short(run.metrics.calls_cached)} more from the store` : null) : null,
      known(run.metrics.tokens) ? figure('Tokens', short(run.metrics.tokens)) : null,
      known(calls) ? figure('Cost', money(cost), known(cost) ? null : 'price unknown') : null,
      figure('Time', duration(secondsOf(run))));
  }

  drawChart() {
    const all = placed(this.candidates.list, this.run);
    // A probe's score on a few rows says little: what the search made of them all is a line.
    const points = all.filter((point) => point.note?.verdict !== 'probe');
    const estimates = all.filter((point) => point.note?.verdict === 'probe' && point.note.estimate !== undefined).map(({ x, note }) => ({ x, estimate: note.estimate }));
    if (!points.some((point) => point.score !== undefined)) {
      replace(this.chartBody, empty(isLive(this.run) ? 'Waiting for the first score' : 'Nothing was scored',
        h('p', isLive(this.run) ? 'Demos are gathered and instructions written first; the chart grows as candidates are scored.' : 'The search ended before its first evaluation finished.')));
      return;
    }
    if (this.axis === 'cost' && !points.some((point) => point.x.cost > 0)) {
      replace(this.chartBody, empty(this.run.metrics.cost === 0 ? 'It cost nothing' : 'Price unknown',
        h('p', this.run.metrics.cost === 0 ? 'Use trials or calls as the axis instead.'
          : ['Set the price of its model, in dollars per million tokens, and the next run has this axis: ', h('code', '"lm": {"model": "…", "price": {"input": 0.15, "output": 0.6}}')])));
      return;
    }
    if (!this.chart.element.isConnected || this.chart.element.parentElement !== this.chartBody) replace(this.chartBody, this.chart.element, legend(estimates.length > 1));
    this.chart.setPoints(points, this.axis, estimates);
  }

  drawTable() {
    const { list } = this.candidates;
    if (!list.length) { replace(this.table, h('p.faint.pad', 'No candidates yet.')); return; }
    const value = {
      trial: (c) => c.trial, name: (c) => c.run.name, score: (c) => c.score, rows: (c) => c.rows, choice: (c) => c.choice,
      gain: (c) => this.comparisons.get(c.run.runId)?.comparison?.difference, time: (c) => secondsOf(c.run),
    };
    const { key, isDescending } = this.sort;
    const isShown = (c) => this.showsAll || list.length <= MOST_ROWS || c.note?.verdict !== 'probe' || c.isBest || c.trial > list.length - LAST_ROWS;
    const sorted = list.filter(isShown).sort((a, b) => {
      const [x, y] = [value[key](a), value[key](b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return (isDescending ? -1 : 1) * (typeof x === 'string' ? natural(x, y) : x - y);
    });
    const column = (name, words, isNumber) => h('th', { scope: 'col', class: isNumber ? 'number' : '', 'aria-sort': key === name ? (isDescending ? 'descending' : 'ascending') : 'none' },
      h('button.sort', {
        class: key === name ? `on ${isDescending ? 'descending' : 'ascending'}` : '',
        onClick: () => {
          this.sort = { key: name, isDescending: key === name ? !isDescending : isNumber && name !== 'trial' };
          this.drawTable();
          this.table.querySelector('button.on')?.focus();
        },
      }, h('span', words), icon('down')));
    replace(this.table, h('table.list.candidates',
      h('thead', h('tr', column('trial', 'Trial', true), column('name', 'Candidate'), column('score', 'Score', true), h('th.bar-column', { scope: 'col' }, h('span.offscreen', 'Score with interval')), column('rows', 'Rows', true), column('gain', 'Against the baseline', true), column('choice', 'What was tried'), column('time', 'Took', true))),
      h('tbody', sorted.map((candidate) => this.row(candidate)))),
    sorted.length < list.length ? h('p.pad', button(`Show all ${count(list.length)}`, () => {
      this.showsAll = true;
      this.drawTable();
      this.table.focus();
    }, { kind: 'small' }), h('span.faint', ` ${count(list.length - sorted.length)} probes are not shown.`)) : null);
  }

  row(candidate) {
    const target = address(['runs', candidate.run.runId]);
    const found = this.comparisons.get(candidate.run.runId);
    return h('tr', {
      class: candidate.isBest ? 'is-best' : '', onClick: (event) => { if (!event.target.closest('a')) location.hash = target; },
    },
    h('td.number.faint', candidate.trial),
    h('th', { scope: 'row' }, h('span.name-line', h('a', { href: target }, inline(candidate.run.name, 60)),
      candidate.isBest ? h('span.best', icon('star'), h('span', 'best')) : null, candidate.isBaseline ? h('small.faint', 'baseline') : null,
      candidate.isLive ? h('small.live-text', 'running') : null, candidate.run.status === 'FAILED' ? h('small.bad-text', 'failed') : null,
      candidate.isWhole ? null : h('small.warn-text', { title: 'Some rows could not be scored, so it is not ranked.' }, 'not ranked'))),
    h('td.number', score(candidate.score), candidate.interval ? h('small.faint', ` ${interval(candidate.interval)}`) : null,
      candidate.run.metrics.unreadable > 0.05 ? h('small.bad-text', ` ${replyTroubles({ unreadable: candidate.run.metrics.unreadable })[0]}`) : null),
    h('td.bar-column', scoreBar(candidate)),
    h('td.number', candidate.rows === undefined ? '' : count(candidate.rows), candidate.isMinibatch ? h('small.faint', ' minibatch') : null),
    h('td.number', candidate.isBaseline ? h('span.faint', '–') : found?.comparison ? [h('span', { class: { better: 'good-text', worse: 'bad-text' }[found.comparison.verdict] ?? '' }, signed(found.comparison.difference, 1)), h('small.faint', ` +${found.fixed.length} −${found.broken.length}`)] : ''),
    h('td.faint', inline(candidate.choice, 80), outcomeOf(candidate.note)), h('td.number.faint', duration(secondsOf(candidate.run))));
  }
}

/** What became of a candidate, where the search says. */
function outcomeOf(note) {
  if (!note) return null;
  const from = note.parents.length ? ` from ${note.parents.join(' and ')}` : '';
  return h('small.block', `candidate ${note.number}${from}, ${note.verdict}${note.reason ? ': ' : ''}`, note.reason ? inline(note.reason, 120) : null);
}

/** A score as a bar with its interval. */
function scoreBar({ score: value, interval: range, isMinibatch }) {
  if (value === undefined) return null;
  const bar = h('div', { class: `score-bar ${isMinibatch ? 'mini' : ''}`, 'aria-hidden': 'true' }, h('span.fill'), range ? h('span.whisker') : null);
  bar.children[0].style.width = `${Math.max(0, Math.min(100, value))}%`;
  if (range) {
    bar.children[1].style.left = `${range[0]}%`;
    bar.children[1].style.width = `${range[1] - range[0]}%`;
  }
  return bar;
}

async function programTab(panel, search) {
  replace(panel, loading());
  const { run, signal } = search;
  const [initial, after] = await Promise.all([programOf(run, 'initial', signal), programOf(run, 'best', signal)]);
  // Who logs no initial program has scored it all the same.
  if (!initial) await search.ready;
  const { baseline } = search.candidates;
  const before = initial ?? (baseline ? await programOf(baseline.run, 'own', signal) : undefined);
  if (!before && !after) {
    replace(panel, empty('No program yet', h('p', isLive(run) ? 'The best program is written when the search ends; each candidate\'s is on its own page.' : 'The run stored no program.')));
    return;
  }
  replace(panel, programDiff(before, after, ['Baseline', 'Best']));
}

/** The tabs and the figures of a search's page. */
export function searchTabs(context) {
  const search = new Search(context);
  return {
    summary: search.summary,
    tabs: [
      ['search', 'Search', async (panel) => {
        replace(panel, search.words,
          h('div.search-top',
            h('section.card.chart-card', h('div.card-head', h('h2', 'Search progress'),
              segments('Horizontal axis', [['trial', 'Trials'], ['calls', 'Calls'], ['cost', 'Cost']], search.axis, (axis) => {
                search.axis = axis;
                context.place.set({ x: axis === 'trial' ? '' : axis });
                search.drawChart();
              })), search.chartBody),
            h('div.stack', h('section.card', h('h2', 'Is the gain real?'), search.gain, search.test), h('section.card', h('h2', 'Where the work went'), search.spending))),
          search.descent, h('section.card.flush', h('h2', 'Candidates'), search.table));
        await search.ready;
      }],
      ['grid', 'Examples', async (panel) => {
        replace(panel, loading());
        await search.ready;
        await gridView(panel, { place: context.place, candidates: search.candidates, run: context.run });
        search.listeners = [() => gridView(panel, { place: context.place, candidates: search.candidates, run: context.run })];
      }],
      ['program', 'Program', (panel) => programTab(panel, search)],
      ['data', 'Data', (panel) => dataView(panel, context)],
    ],
  };
}

