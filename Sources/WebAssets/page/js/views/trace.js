// A trace: its spans as a tree beside their times, and the one that is looked at.

import { h, icon, replace } from '../dom.js';
import { count, dateTime, duration, money, plural, short } from '../format.js';
import { secondsOf, SpanTree, tokensOf } from '../model/spans.js';
import { assessmentsView } from '../parts/assessments.js';
import { spanDetail } from '../parts/span-detail.js';
import { VirtualRows } from '../parts/virtual.js';
import { locate } from '../router.js';
import { call } from '../rpc.js';
import { inline, visible } from '../text.js';
import { button, copyButton, fact, loading, pill, problem, toast } from '../ui.js';
import { experimentOf } from './experiments.js';

const FIRST_PAGE = 400;
const LATER_PAGES = 8000;
const ROW = 28;
const SIGNS = { CHAT_MODEL: 'M', LLM: 'P', CHAIN: 'C', PARSER: 'A', TOOL: 'T', AGENT: 'G', EVALUATOR: 'E', RETRIEVER: 'R' };

/** Facts that clients note about themselves. */
const isForeign = (key) => key.startsWith('mlflow.');

class TraceView {
  constructor(place, info) {
    this.place = place;
    this.info = info;
    this.tree = new SpanTree();
    this.bodies = new Map();
    this.whole = { start: info.startTimeNs, length: Math.max(1, info.endTimeNs - info.startTimeNs) };
    this.range = this.whole;
    this.scale = h('div.scale', { 'aria-hidden': 'true' });
    this.out = button('Whole trace', () => this.zoom(undefined), { kind: 'small', title: 'Zoom out to the whole trace (Escape)' });
    this.rows = new VirtualRows({
      rowHeight: ROW, fits: true, draw: (index) => this.row(this.tree.rows[index]),
      props: { role: 'tree', 'aria-label': 'Spans', 'aria-activedescendant': '' },
    });
    this.rows.element.classList.add('spans');
    this.rows.element.addEventListener('keydown', (event) => this.onKey(event));
    this.detail = h('section.card.detail', { 'aria-label': 'Span', 'aria-live': 'off' }, loading());
    this.progress = h('small.faint', { role: 'status' });
    this.search = h('input', {
      type: 'search', 'aria-label': 'Find a span by its name or type', placeholder: 'Find a span', 'data-search': '',
      onInput: () => this.rows.redraw(),
      onKeydown: (event) => {
        if (event.key === 'Enter') { this.jump((span) => this.matches(span)); event.preventDefault(); }
        if (event.key === 'Escape') { this.search.value = ''; this.rows.redraw(); this.rows.element.focus(); }
      },
    });
    this.errors = button('0 errors', () => this.jump((span) => span.status === 'ERROR'), { kind: 'small danger', title: 'Go to the next span with an error (e)' });
    this.errors.hidden = true;
    this.drawScale();
  }

  /** Stretches the times over one span's, or over the whole trace again; what is shown already is left. */
  zoom(span) {
    const isSame = span && this.zoomed === span;
    this.zoomed = isSame ? undefined : span;
    this.range = this.zoomed ? { start: span.startTimeNs, length: Math.max(1, span.endTimeNs - span.startTimeNs) } : this.whole;
    this.place.set({ zoom: this.zoomed?.id });
    this.drawScale();
    this.rows.redraw();
  }

  drawScale() {
    this.out.hidden = !this.zoomed;
    const from = (this.range.start - this.whole.start) / 1e9;
    const seconds = this.range.length / 1e9;
    replace(this.scale, h('span', this.zoomed && from > 0 ? `from ${duration(from)}` : '0'), h('span', duration(seconds / 2)), h('span', duration(seconds)));
  }

  matches(span) {
    const words = this.search.value.trim().toLowerCase();
    return words !== '' && `${span.name} ${span.type}`.toLowerCase().includes(words);
  }

  take(spans) {
    this.tree.add(spans);
    const { errors } = this.tree;
    this.errors.hidden = errors === 0;
    this.errors.querySelector('span').textContent = plural(errors, 'error');
  }

  /** Loads what is left of the spans; rows in sight stay where they are. */
  async loadRest(pageToken) {
    let token = pageToken;
    while (token) {
      this.progress.textContent = `${count(this.tree.spans.length)} of ${count(this.info.spanCount)} spans`;
      const page = await call('getTrace', { traceId: this.info.traceId, bodies: false, maxSpans: LATER_PAGES, pageToken: token }, { signal: this.place.signal });
      this.take(page.spans);
      this.rows.setCount(this.tree.rows.length);
      token = page.nextPageToken;
    }
    this.progress.textContent = plural(this.tree.spans.length, 'span');
  }

  row(span) {
    const isOpen = !this.tree.closed.has(span.id);
    const isSelected = span === this.selected;
    const bar = h('span', { class: `time-bar ${span.status === 'ERROR' ? 'bad' : ''} type-${SIGNS[span.type] ? span.type.toLowerCase() : 'other'}` });
    const { start, length } = this.range;
    const [from, to] = [(span.startTimeNs - start) / length * 100, (span.endTimeNs - start) / length * 100];
    const left = Math.max(0, Math.min(100, from));
    bar.style.left = `${left}%`;
    bar.style.width = `${Math.max(0, Math.min(100, to) - left)}%`;
    bar.hidden = to < 0 || from > 100;
    const name = h('span.span-name',
      span.children.length ? h('span.twist', { class: isOpen ? 'open' : '', onClick: (event) => { event.stopPropagation(); this.fold(span, isOpen); } }, icon('chevron')) : h('span.twist'),
      h('span', { class: `type type-${SIGNS[span.type] ? span.type.toLowerCase() : 'other'}`, title: visible(span.type), 'aria-hidden': 'true' }, SIGNS[span.type] ?? '·'), inline(span.name, 120));
    name.style.paddingInlineStart = `${Math.min(span.depth, 24) * 14}px`;
    const tokens = tokensOf(span);
    return h('div.span-row', {
      id: `span-${span.id}`, role: 'treeitem', 'aria-level': String(span.depth + 1), 'aria-selected': String(isSelected), 'aria-expanded': span.children.length ? String(isOpen) : undefined,
      'aria-setsize': '-1', 'aria-posinset': String(span.row + 1),
      'aria-label': visible(`${span.name}, ${span.type}, ${duration(secondsOf(span))}${span.status === 'ERROR' ? ', error' : ''}`),
      class: `${isSelected ? 'selected' : ''} ${span.status === 'ERROR' ? 'error' : ''} ${this.search.value.trim() ? (this.matches(span) ? 'match' : 'dim') : ''}`,
      onClick: () => this.select(span),
    }, name, h('span.number.span-tokens', tokens === undefined ? '' : `${short(tokens)} tok`), h('span.number.span-time', duration(secondsOf(span))), h('span.time-line', { 'aria-hidden': 'true', title: 'Zoom to this span (z)', onClick: () => this.zoom(span) }, bar));
  }

  fold(span, isClosed) {
    this.tree.setClosed(span, isClosed);
    this.rows.setCount(this.tree.rows.length);
  }

  async select(span, isMoved = true) {
    this.selected = span;
    this.rows.redraw();
    this.rows.element.setAttribute('aria-activedescendant', `span-${span.id}`);
    if (isMoved) this.place.set({ span: span.id });
    let whole = this.bodies.get(span.id);
    if (!whole) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => { if (this.selected === span && !this.bodies.has(span.id)) replace(this.detail, loading()); }, 150);
      try {
        const { spans } = await call('getTrace', { traceId: this.info.traceId, spanId: span.id }, { signal: this.place.signal });
        [whole] = spans;
        this.bodies.set(span.id, whole);
      } catch (error) {
        if (error.name !== 'AbortError' && this.selected === span) replace(this.detail, problem(error, () => this.select(span)));
        return;
      }
    }
    if (this.selected !== span) return;
    replace(this.detail, spanDetail(whole));
    this.detail.scrollTop = 0;
  }

  jump(test) {
    const span = this.tree.next(this.selected, test);
    if (!span) { toast('No matching span'); return; }
    this.tree.reveal(span);
    this.rows.setCount(this.tree.rows.length);
    this.rows.scrollTo(span.row);
    this.select(span);
  }

  onKey(event) {
    const { rows } = this.tree;
    const at = this.selected?.row ?? 0;
    const go = (index) => {
      const span = rows[Math.max(0, Math.min(rows.length - 1, index))];
      if (!span) return;
      this.rows.scrollTo(span.row);
      this.select(span);
    };
    const keys = {
      ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(rows.length - 1),
      PageDown: () => go(at + 15), PageUp: () => go(at - 15),
      ArrowRight: () => { if (this.selected && this.tree.closed.has(this.selected.id)) this.fold(this.selected, false); else go(at + 1); },
      ArrowLeft: () => {
        if (!this.selected) return;
        if (this.selected.children.length && !this.tree.closed.has(this.selected.id)) this.fold(this.selected, true);
        else if (!this.selected.isRoot) { const parent = this.tree.byId.get(this.selected.parentId); go(parent.row); }
      },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key]();
    event.preventDefault();
  }

  head() {
    const { info } = this;
    const metadata = Object.entries(info.metadata).filter(([, value]) => value !== null && typeof value !== 'object');
    return h('div', h('div.head', h('h1', inline(info.name, 200)), pill(info.status === 'OK' ? 'OK' : info.status === 'ERROR' ? 'Error' : 'In progress', { OK: 'good', ERROR: 'bad' }[info.status] ?? 'live')),
      h('dl.facts', fact('Took', duration(info.duration)), fact('Tokens', `${count(info.usage.inputTokens)} in, ${count(info.usage.outputTokens)} out`), info.cost === null ? null : fact('Cost', money(info.cost)), fact('Spans', count(info.spanCount)), fact('Started', dateTime(info.startTime)),
        info.runId ? fact('Run', h('a', { href: `#/runs/${info.runId}` }, this.runName ? inline(this.runName, 80) : h('code.id', info.runId.slice(0, 8)))) : null,
        metadata.filter(([key]) => !isForeign(key)).map(([key, value]) => fact(visible(key), inline(String(value), 80))), fact('Trace', h('code.id', info.traceId), copyButton(info.traceId, 'Copy id'))),
      metadata.some(([key]) => isForeign(key)) ? h('details.metadata', h('summary', 'More metadata'), h('dl.facts', metadata.filter(([key]) => isForeign(key)).map(([key, value]) => fact(visible(key), inline(String(value), 300))))) : null,
      info.statusMessage ? h('div.notice.bad', visible(info.statusMessage)) : null);
  }
}

export async function showTrace(place) {
  const id = place.parts[1] ?? '';
  const { info, spans, nextPageToken } = await call('getTrace', { traceId: id, bodies: false, maxSpans: FIRST_PAGE }, { signal: place.signal });
  const view = new TraceView(place, info);
  locate(info.name, [['Experiments', '#/'], ['Trace']]);
  view.take(spans);
  const head = h('div', view.head());
  replace(place.main, h('div.view.trace-view', head,
    h('div.trace-panes', h('section.card.flush.tree-pane', { 'aria-label': 'Spans over time' },
      h('div.toolbar', view.search, view.out, view.errors, view.progress), view.scale, view.rows.element),
    h('div.stack', view.detail, assessmentsView(info)))));
  view.rows.setCount(view.tree.rows.length);
  document.body.dataset.painted = id;
  const wanted = place.query.get('span');
  const chosen = view.tree.byId.get(wanted) ?? view.tree.rows[0];
  if (chosen) view.select(chosen, false);
  const zoomed = () => view.tree.byId.get(place.query.get('zoom'));
  if (zoomed()) view.zoom(zoomed());
  place.listen('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog')) return;
    if (event.key === 'e') view.jump((span) => span.status === 'ERROR');
    if (event.key === 'z' && view.selected) view.zoom(view.selected);
    if (event.key === 'Escape' && view.zoomed) view.zoom(undefined);
  });
  const names = async () => {
    if (!info.runId) return;
    const { run } = await call('getRun', { runId: info.runId }, { signal: place.signal });
    const experiment = await experimentOf(run.experimentId, place.signal);
    const crumbs = [['Experiments', '#/'], [experiment.name, `#/experiments/${run.experimentId}`]];
    if (run.parentRunId) {
      const { run: parent } = await call('getRun', { runId: run.parentRunId }, { signal: place.signal });
      crumbs.push([parent.name, `#/runs/${parent.runId}`]);
    }
    crumbs.push([run.name, `#/runs/${run.runId}`], ['Trace']);
    locate(info.name, crumbs);
    view.runName = run.name;
    replace(head, view.head());
  };
  await Promise.all([view.loadRest(nextPageToken), names().catch((error) => { if (error.kind !== 'notFound') throw error; })]);
  if (!view.zoomed && zoomed()) view.zoom(zoomed());
  if (wanted && chosen?.id !== wanted && view.tree.byId.has(wanted)) {
    const span = view.tree.byId.get(wanted);
    view.rows.scrollTo(span.row);
    view.select(span, false);
  }
}
