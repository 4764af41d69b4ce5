// A candidate, or an evaluation by itself: its program against another, and its score by example.

import { h, replace } from '../dom.js';
import { count, failures, interval, replyTroubles, score, signed } from '../format.js';
import { Candidates } from '../model/candidates.js';
import { programOf } from '../model/program.js';
import { answerOf, examplesOf, expected, outcome, question } from '../model/results.js';
import { choiceOf, evaluationKind, intervalOf, isLive, scoreOf } from '../model/run.js';
import { dataView } from '../parts/data.js';
import { programDiff, programView } from '../parts/program-diff.js';
import { verdict } from '../parts/verdict.js';
import { VirtualRows } from '../parts/virtual.js';
import { address } from '../router.js';
import { call } from '../rpc.js';
import { visible } from '../text.js';
import { empty, loading, segments } from '../ui.js';

class Candidate {
  constructor(context) {
    this.context = context;
    this.summary = h('section.figures', { 'aria-label': 'Key figures' });
    this.ready = this.load();
    context.onChange(() => this.draw());
  }

  get run() { return this.context.run; }
  get signal() { return this.context.place.signal; }

  /** Finds the candidate's siblings: one of them is what it is compared with. */
  async load() {
    this.draw();
    if (!this.context.parent) return;
    this.siblings = new Candidates(this.context.parent.runId, this.signal);
    await this.siblings.refresh();
    await this.choose(this.context.place.query.get('against') ?? this.siblings.baseline?.run.runId);
  }

  async choose(id) {
    this.against = this.siblings.byId(id) ?? this.siblings.baseline;
    this.comparison = undefined;
    if (this.against && this.against.run.runId !== this.run.runId && !isLive(this.run)) {
      const { comparisons } = await call('compareRuns', { runIds: [this.against.run.runId, this.run.runId] }, { signal: this.signal });
      [this.comparison] = comparisons;
    }
    this.draw();
  }

  draw() {
    const { run } = this;
    const figure = (words, value, more, tone = '') => h('div', { class: `figure ${tone}` }, h('span.figure-words', words), h('span.figure-value', value), more ? h('span.figure-more', more) : null);
    const own = this.siblings?.byId(run.runId);
    const range = intervalOf(run) ?? own?.interval;
    const found = this.comparison?.comparison;
    const place = choiceOf(run);
    const troubles = replyTroubles(run.metrics);
    const rows = run.metrics.count ?? (run.params.rows === undefined ? this.comparison?.common : Number(run.params.rows));
    replace(this.summary,
      figure('Score', score(scoreOf(run)), range ? `95 %: ${interval(range)}` : null, 'accent'),
      own ? figure('Trial', `${own.trial} of ${this.siblings.list.length}`, own.isBest ? 'the best' : own.isBaseline ? 'the baseline' : evaluationKind(run) === 'eval_minibatch' ? 'a minibatch' : null) : null,
      rows === undefined ? null : figure('Rows', count(rows), run.metrics.failed ? failures(run.metrics) : null, run.metrics.failed ? 'bad' : ''),
      troubles.length || run.params.adapter ? figure('Replies', run.params.adapter ? visible(run.params.adapter) : `${Math.round(100 * (1 - (run.metrics.unreadable ?? 0)))} % read`, troubles.join(', ') || 'all readable', run.metrics.unreadable > 0.05 ? 'bad' : '') : null,
      found ? figure(`Against ${this.against.isBaseline ? 'the baseline' : visible(this.against.run.name)}`, signed(found.difference), `${count(this.comparison.fixed.length)} fixed, ${count(this.comparison.broken.length)} broken`, { better: 'good', worse: 'bad' }[found.verdict] ?? '') : null,
      place ? figure('Candidate', h('span.figure-small', visible(place))) : null);
  }

  /** The choice of what the candidate is compared with; `onChange` hears of it. */
  picker(onChange) {
    if (!this.siblings) return null;
    const id = 'against';
    return h('span.picker', h('label', { for: id }, 'Compare with'), h('select', {
      id, onChange: async (event) => {
        this.context.place.set({ against: event.target.value });
        await this.choose(event.target.value);
        await onChange();
      },
    }, this.siblings.list.filter((one) => one.run.runId !== this.run.runId).map((one) => h('option', { value: one.run.runId, selected: one === this.against }, visible(`${one.run.name}${one.isBaseline ? ' (baseline)' : ''}${one.isBest ? ' (best)' : ''} ${score(one.score)}`)))));
  }
}

async function programTab(panel, candidate) {
  replace(panel, loading());
  await candidate.ready;
  const own = await programOf(candidate.run, 'own', candidate.signal);
  const body = h('div');
  const draw = async () => {
    const { against, run } = candidate;
    if (!own) { replace(body, empty('No program', h('p', 'This run stored no program.'))); return; }
    if (!against || against.run.runId === run.runId) { replace(body, programView(own)); return; }
    const other = await programOf(against.run, 'own', candidate.signal);
    replace(body, programDiff(other, own, [`${visible(against.run.name)}${against.isBaseline ? ' (baseline)' : ''}`, visible(run.name)]));
  };
  replace(panel, h('div.toolbar', candidate.picker(draw)), body);
  await draw();
}

const FILTERS = [['all', 'All'], ['fixed', 'Fixed'], ['broken', 'Broken'], ['wrong', 'Wrong'], ['failed', 'Failed']];

async function examplesTab(panel, candidate) {
  replace(panel, loading());
  await candidate.ready;
  const examples = await examplesOf(candidate.run.runId, candidate.signal);
  if (!examples.size) {
    replace(panel, empty(isLive(candidate.run) ? 'Still scoring' : 'No results', h('p', isLive(candidate.run) ? 'Results appear when the evaluation ends.' : 'This run stored no results by example.')));
    return;
  }
  const { place } = candidate.context;
  let filter = place.query.get('rows') ?? 'all';
  let before = new Map();
  let list = [];
  const summary = h('div.summary');
  const open = (entry) => { if (entry.row.traceId) location.hash = address(['traces', entry.row.traceId]); };
  const rows = new VirtualRows({
    rowHeight: 40,
    fits: true,
    draw: (index) => {
      const entry = list[index];
      const { row } = entry;
      return h('a.example-row', { href: row.traceId ? address(['traces', row.traceId]) : undefined, class: entry.is, onClick: (event) => { if (row.traceId && !event.metaKey && !event.ctrlKey) { event.preventDefault(); open(entry); } } },
        h('span.number.faint', entry.index), h('span', { class: `cell ${entry.is}`, 'aria-hidden': 'true' }, { fixed: '+', broken: '−', failed: '!' }[entry.is] ?? ''), h('span.offscreen', entry.is),
        h('span', { dir: 'auto' }, visible(question(row)).slice(0, 300)), h('span', { dir: 'auto' }, visible(expected(row)).slice(0, 200)),
        h('span', { dir: 'auto', class: row.error ? 'bad-text' : '' }, visible(row.error ?? answerOf(row.outputs)).slice(0, 200)),
        h('span.number', row.score === undefined ? '–' : Number.isInteger(row.score) ? row.score : row.score.toFixed(2)));
    },
    props: { role: 'region', 'aria-label': 'Examples' },
  });
  rows.element.classList.add('examples');
  const fill = () => {
    const entries = [...examples].map(([index, row]) => ({ index, row, is: outcome({ score: row.score, error: row.error }, before.get(index)) }));
    list = entries.filter(({ is, row }) => filter === 'all' || is === filter || filter === 'wrong' && (row.score ?? 0) < 1 && is !== 'failed' || filter === 'failed' && row.error);
    rows.setCount(list.length);
    none.hidden = list.length > 0;
  };
  const none = h('p.faint.pad', { hidden: true }, 'No matching examples.');
  const compare = async () => {
    before = new Map();
    const { against } = candidate;
    if (against && against.run.runId !== candidate.run.runId) {
      // By content: not every evaluation says which rows of the data it was given.
      const content = (row) => JSON.stringify(row.example);
      const others = new Map([...await examplesOf(against.run.runId, candidate.signal)].map(([, row]) => [content(row), row]));
      for (const [index, row] of examples) if (others.has(content(row))) before.set(index, others.get(content(row)));
    }
    replace(summary, candidate.comparison?.comparison ? h('section.card', h('h2', 'On the same rows'), verdict(candidate.comparison.comparison, [visible(candidate.run.name), against.isBaseline ? 'the baseline' : visible(against.run.name)])) : null);
    fill();
  };
  replace(panel, h('div.toolbar', segments('Which examples', FILTERS, filter, (value) => { filter = value; place.set({ rows: value === 'all' ? '' : value }); fill(); }), candidate.picker(compare)),
    h('div.stack', summary, h('div.card.flush', h('div.example-row.trace-head', { 'aria-hidden': 'true' }, h('span.number', 'Row'), h('span'), h('span', 'Input'), h('span', 'Expected'), h('span', 'Got'), h('span.number', 'Score')), rows.element, none)));
  await compare();
}

/** The tabs and the figures of an evaluation's page. */
export function candidateTabs(context) {
  const candidate = new Candidate(context);
  const tabs = [
    ['program', 'Program', (panel) => programTab(panel, candidate)],
    ['examples', 'Examples', (panel) => examplesTab(panel, candidate)],
  ];
  if (!context.parent) tabs.push(['data', 'Data', (panel) => dataView(panel, context)]);
  return { summary: candidate.summary, tabs };
}

