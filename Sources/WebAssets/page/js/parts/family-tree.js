// The family tree of a search: what was kept as lines, what was dropped folded up, and what is different in each.

import { append, h, icon, replace, s } from '../dom.js';
import { count, interval, plural, score, signed } from '../format.js';
import { Family } from '../model/family.js';
import { programOf } from '../model/program.js';
import { address } from '../router.js';
import { inline, visible } from '../text.js';
import { empty, loading, pill, problem, segments } from '../ui.js';
import { programDiff } from './program-diff.js';
import { probeCurve } from './probe-curve.js';

const LANE = 16;
const DOT_TOP = 17;
const VERDICTS = { kept: ['kept', 'good'], dropped: ['dropped', ''], probe: ['probe', ''] };

/** A gain over the parent in words: `+6.0 on 41 rows`. */
function gainWords(node) {
  if (node.gain === undefined) return undefined;
  return `${signed(node.gain, 1)}${node.pairs === undefined ? '' : ` on ${plural(node.pairs, 'row')}`}`;
}

const tone = (gain) => (gain > 0 ? 'good-text' : gain < 0 ? 'bad-text' : 'faint');

export class FamilyTree {
  /** `place` keeps what is selected in the address; `runOf(id)` is the evaluation's run, if it is known. */
  constructor({ place, runOf, initial }) {
    Object.assign(this, { place, runOf, initial });
    this.opened = new Set();
    this.programs = new Map();
    this.selected = place.query.get('candidate') ?? undefined;
    this.isChosen = this.selected !== undefined;
    this.lines = s('svg.family-lines', { 'aria-hidden': 'true' });
    this.list = h('ol.family-list', { 'aria-label': 'Candidates by descent' });
    this.tree = h('div.family-tree', this.lines, this.list);
    this.detail = h('section.family-detail', { 'aria-label': 'The selected candidate', tabindex: '0' });
    this.element = h('div.family', this.tree, this.detail);
    this.observer = new ResizeObserver(() => this.drawLines());
    this.observer.observe(this.list);
    this.list.addEventListener('keydown', (event) => this.move(event));
  }

  /** Takes the `noted` trials as they are now; draws anew only where they are others than before. */
  setTrials(trials, bestRunId) {
    const seen = JSON.stringify([bestRunId, trials.map((trial) => [trial.number, trial.candidate])]);
    if (seen === this.seen) return;
    this.seen = seen;
    this.family = new Family(trials, bestRunId);
    const before = this.selected;
    // Until a person chooses, the best so far is shown.
    if (!this.isChosen || !this.find(this.selected)) {
      const { kept, nodes } = this.family;
      const first = [...nodes.values()].find((node) => node.isBest && node.number !== 0) ?? kept.at(-1) ?? [...nodes.values()].at(-1);
      this.selected = first && String(first.number);
    }
    const key = document.activeElement?.closest?.('.family-list [data-key]')?.dataset.key;
    this.unfold(this.selected);
    this.draw();
    if (key !== undefined) [...this.list.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key)?.focus();
    if (this.selected !== before) requestAnimationFrame(() => this.bringIntoView());
    this.mark();
    // What somebody reads stays as it is while the search goes on elsewhere.
    const told = JSON.stringify([this.selected, this.find(this.selected)]);
    if (told !== this.told) this.drawDetail();
    this.told = told;
  }

  /** Scrolls the tree, not the page, to what is selected. */
  bringIntoView() {
    const node = this.list.querySelector('.family-node[aria-pressed="true"]');
    if (node) this.tree.scrollTop += node.getBoundingClientRect().top - this.tree.getBoundingClientRect().top - this.tree.clientHeight / 2;
  }

  /** A candidate by its number, or the probes of one (`probes-0`). */
  find(key) {
    if (key === undefined) return undefined;
    const probes = /^probes-(\d*)$/.exec(key);
    if (probes) return this.family.probes.get(probes[1] === '' ? undefined : Number(probes[1]));
    return this.family.get(Number(key));
  }

  /** Up and down between what is shown; right and left unfold and fold up. */
  move(event) {
    const { target } = event;
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const fold = target.closest('li.family-kept')?.querySelector('.family-fold');
      if (!fold || (fold.getAttribute('aria-expanded') === 'true') === (event.key === 'ArrowRight')) return;
      fold.click();
      event.preventDefault();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...this.list.querySelectorAll('button')].filter((one) => one.offsetParent);
    all[all.indexOf(target.closest('button')) + step]?.focus();
    event.preventDefault();
  }

  select(key) {
    this.selected = key;
    this.isChosen = true;
    this.place.set({ candidate: key });
    if (this.unfold(key)) this.draw();
    this.mark();
    this.drawDetail();
  }

  /** Unfolds where a candidate is; true if it was folded up. */
  unfold(key) {
    const group = [...this.family.dropped].find(([, nodes]) => nodes.some((node) => String(node.number) === key));
    if (!group || this.opened.has(group[0])) return false;
    this.opened.add(group[0]);
    return true;
  }

  mark() {
    for (const one of this.list.querySelectorAll('.family-node')) one.setAttribute('aria-pressed', String(one.dataset.key === this.selected));
  }

  draw() {
    const { family } = this;
    const rest = (key) => [this.probesOf(key), this.droppedOf(key)];
    replace(this.list, family.kept.map((node) => h('li.family-kept', { 'data-number': node.number }, this.node(node), rest(node.number))),
      family.dropped.has(undefined) || family.probes.has(undefined) ? h('li.family-kept', h('p.faint', 'Their parents are not known:'), rest(undefined)) : null);
    this.tree.style.setProperty('--lanes', `${family.lanes * LANE}px`);
    this.drawLines();
  }

  node(node) {
    const gain = gainWords(node);
    const { shown } = node;
    return h('button.family-node', { 'data-key': node.number, 'aria-pressed': 'false', class: node.verdict, onClick: () => this.select(String(node.number)) },
      h('strong.family-number', node.number),
      h('span.family-words', h('span', inline(node.change || 'a candidate', 160)),
        node.verdict === 'dropped' && node.reason ? h('small.faint', inline(node.reason, 200)) : null,
        node.parents?.length > 1 ? h('small.faint', `from ${node.parents.join(' and ')}`) : null),
      h('span.family-figures', node.isBest ? h('span.best', icon('star'), h('span', 'best')) : null,
        gain ? h('span', { class: tone(node.gain) }, gain) : null,
        shown ? h('span', score(shown.score), h('small.faint', ` on ${plural(shown.count ?? 0, 'row')}`)) : null));
  }

  droppedOf(key) {
    const nodes = this.family.dropped.get(key);
    if (!nodes) return null;
    const isOpen = this.opened.has(key);
    const list = h('ol.family-dropped', { hidden: !isOpen }, nodes.map((node) => h('li', this.node(node))));
    return [h('button.family-fold', {
      'aria-expanded': String(isOpen), 'data-key': `dropped-${key ?? ''}`,
      onClick: (event) => {
        const opens = list.hidden;
        list.hidden = !opens;
        if (opens) this.opened.add(key);
        else this.opened.delete(key);
        event.currentTarget.setAttribute('aria-expanded', String(opens));
        this.drawLines();
      },
    }, icon('chevron'), h('span', `${count(nodes.length)} dropped`)), list];
  }

  /** Many mixtures on a few rows each say something together, as a curve. */
  probesOf(key) {
    const nodes = this.family.probes.get(key);
    if (!nodes) return null;
    const own = `probes-${key ?? ''}`;
    return h('button.family-node.family-probes', { 'data-key': own, 'aria-pressed': 'false', onClick: () => this.select(own) },
      h('span.family-words', h('span', plural(nodes.length, 'probe')), h('small.faint', 'mixtures tried on a few rows each, to learn what each part does')),
      probeCurve(nodes, { isSmall: true }));
  }

  /** The lines between the dots of kept candidates, where the rows stand now. */
  drawLines() {
    if (!this.family || !this.list.isConnected) return;
    const top = this.list.getBoundingClientRect().top;
    const at = new Map([...this.list.children].filter((item) => item.dataset.number !== undefined)
      .map((item) => [Number(item.dataset.number), item.getBoundingClientRect().top - top + DOT_TOP]));
    const x = (node) => node.lane * LANE + 9;
    replace(this.lines);
    this.lines.setAttribute('width', this.family.lanes * LANE + 4);
    this.lines.setAttribute('height', this.list.offsetHeight);
    const link = (parent, node, isOther) => {
      const [x1, y1, x2, y2] = [x(parent), at.get(parent.number), x(node), at.get(node.number)];
      const turn = Math.min(14, (y2 - y1) / 2);
      return s('path', { class: isOther ? 'other' : node.lane === 0 ? 'trunk' : '', d: x1 === x2 ? `M${x1} ${y1}V${y2}` : `M${x1} ${y1}C${x1} ${y1 + turn} ${x2} ${y1 + turn / 2} ${x2} ${y1 + 2 * turn}V${y2}` });
    };
    for (const node of this.family.kept) {
      const parent = this.family.keptParent(node);
      if (parent) append(this.lines, link(parent, node));
      for (const number of (node.parents ?? []).slice(1)) {
        const other = this.family.get(number);
        if (other?.verdict === 'kept') append(this.lines, link(other, node, true));
      }
    }
    for (const node of this.family.kept) append(this.lines, s('circle', { class: node.isBest ? 'is-best' : '', cx: x(node), cy: at.get(node.number), r: node.isBest ? 5.5 : 4.5 }));
  }

  // What is selected

  async drawDetail() {
    const node = this.find(this.selected);
    if (!node) { replace(this.detail); return; }
    if (Array.isArray(node)) { this.drawProbes(node); return; }
    const [words, kind] = VERDICTS[node.verdict] ?? [node.verdict, ''];
    const gain = gainWords(node);
    const facts = [
      gain ? ['Gain over its parent', h('span', h('span', { class: tone(node.gain) }, gain), node.pairs === undefined ? null : ' that both were asked')] : null,
      node.estimate !== undefined ? ['Estimate for all rows', `${node.estimate.toFixed(1)} %`] : null,
      ...node.trials.slice(-6).map((trial) => [trial.runId ? h('a', { href: address(['runs', trial.runId]) }, inline(trial.name, 60)) : inline(trial.name, 60),
        `${score(trial.score)} on ${plural(trial.count ?? 0, 'row')}${trial.interval ? `, 95 %: ${interval(trial.interval)}` : ''}`]),
    ].filter(Boolean);
    const diff = h('div');
    const parents = (node.parents ?? []).filter((number) => number !== node.number);
    replace(this.detail,
      h('div.card-head', h('h3', `Candidate ${node.number}`), pill(words, kind), node.isBest ? h('span.best', icon('star'), h('span', 'best')) : null,
        parents.length ? h('span.faint', 'from ', parents.map((number, index) => [index ? ' and ' : '', this.family.get(number)
          ? h('button.link', { 'aria-label': `Candidate ${number}`, onClick: () => this.select(String(number)) }, number) : number])) : null),
      node.change ? h('p', { dir: 'auto' }, visible(node.change)) : null,
      node.reason ? h('p', h('span.faint', `Why ${words}: `), inline(node.reason)) : null,
      facts.length ? h('dl.family-facts', facts.map(([term, value]) => [h('dt', term), h('dd', value)])) : null,
      parents.length > 1 ? h('div.toolbar', h('span.faint', 'Compare with'), segments('The parent to compare with', parents.map((number) => [String(number), `candidate ${number}`]), String(parents[0]), (key) => this.drawDiff(diff, node, Number(key)))) : null,
      diff);
    await this.drawDiff(diff, node, parents[0]);
  }

  async drawDiff(panel, node, parent) {
    const asked = `${node.number}/${parent}`;
    this.asked = asked;
    replace(panel, loading());
    try {
      const [own, before] = await Promise.all([this.program(node.number), parent === undefined ? undefined : this.program(parent)]);
      if (this.asked !== asked) return;
      if (!own) {
        replace(panel, empty('No program', h('p', 'This evaluation kept no program: evaluations of this search were not tracked, or it is not done yet.')));
        return;
      }
      replace(panel, programDiff(before, own, [`Candidate ${parent}`, `Candidate ${node.number}`]));
    } catch (error) {
      if (error.name !== 'AbortError') replace(panel, problem(error, () => this.drawDiff(panel, node, parent)));
    }
  }

  /** The program of a candidate; that of number 0 is the one that came. */
  async program(number) {
    if (this.programs.has(number)) return this.programs.get(number);
    const { runId } = this.family.get(number) ?? {};
    const found = runId ? await programOf(this.runOf(runId) ?? { runId, params: {} }, 'own', this.place.signal) : undefined;
    const program = found ?? (number === 0 ? await this.initial() : undefined);
    if (program) this.programs.set(number, program);
    return program;
  }

  drawProbes(nodes) {
    this.asked = undefined;
    const best = [...nodes].filter((node) => node.estimate !== undefined).sort((a, b) => b.estimate - a.estimate).slice(0, 10);
    replace(this.detail, h('div.card-head', h('h3', plural(nodes.length, 'probe')), pill('probe')),
      h('p', 'Each mixture of parts was asked a few rows. Together they show what each part does: what the search would score on all rows if it stopped there rises as it learns.'),
      probeCurve(nodes, {}),
      best.length ? [h('h4', 'Estimated highest'), h('ol.family-top', best.map((node) => h('li', h('button.link', { onClick: () => this.select(String(node.number)) }, `Candidate ${node.number}`),
        h('span.number', `${node.estimate.toFixed(1)} %`), h('span.faint', inline(node.change, 160)))))] : null);
  }
}
