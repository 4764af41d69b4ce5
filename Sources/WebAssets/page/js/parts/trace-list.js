// Traces as a list: searched, sorted, paged as it is scrolled.

import { h, replace } from '../dom.js';
import { ago, dateTime, duration, money, short } from '../format.js';
import { address } from '../router.js';
import { call } from '../rpc.js';
import { visible } from '../text.js';
import { empty, loading, problem } from '../ui.js';
import { asFilter, filterLine } from './filter.js';
import { VirtualRows } from './virtual.js';

const SORTS = [
  ['', 'Latest first'], ['timestamp ASC', 'Oldest first'], ['execution_time DESC', 'Slowest first'], ['total_tokens DESC', 'Most tokens first'],
  ['cost DESC', 'Most expensive first'],
];

/** How long an answer may take before the page says that it waits, in milliseconds. */
const SOON = 400;

/** A preview (JSON text of an object) as words: `question: …`. */
function words(preview) {
  if (!preview) return '';
  try {
    const value = JSON.parse(preview);
    if (value && typeof value === 'object' && !Array.isArray(value)) {
      const entries = Object.entries(value);
      const text = (member) => (typeof member === 'string' ? member : JSON.stringify(member));
      if (entries.length === 1) return text(entries[0][1]);
      const answer = entries.find(([key]) => key === 'answer');
      if (answer) return text(answer[1]);
      return entries.map(([key, member]) => `${key}: ${text(member)}`).join(' · ');
    }
  } catch { /* cut off in the middle: shown as it is */ }
  return preview.replace(/^\{"([^"]{1,60})":\s*"?/, '$1: ');
}

/** The verdicts of a trace in short: `numeric_match ✓`. */
function verdicts(info) {
  return info.assessments.filter((one) => one.valid).map((one) => {
    const tone = one.value === true || one.value === 1 ? 'good' : one.value === false || one.value === 0 ? 'bad' : '';
    const sign = tone === 'good' ? '✓' : tone === 'bad' ? '✗' : one.error ? '!' : visible(typeof one.value === 'string' ? one.value : JSON.stringify(one.value));
    return h('span', { class: `verdict ${tone}`, title: visible(`${one.name}: ${JSON.stringify(one.value)}${one.rationale ? ` – ${one.rationale}` : ''}`) },
      h('bdi', visible(one.name).slice(0, 24)), ' ', sign);
  });
}

/** Fills `panel` with the traces of an experiment or of a run. */
export async function traceList(panel, place, scope) {
  let text = place.query.get('traces') ?? '';
  let sort = place.query.get('order') ?? '';
  let traces = [];
  let next;
  let isLoading = false;
  let token = 0;
  const box = h('div', loading());

  const row = (index) => {
    const trace = traces[index];
    return h('a.trace-row', { href: address(['traces', trace.traceId]), 'aria-label': `${visible(trace.name)}, ${trace.status}` },
      h('span', { class: `dot ${trace.status === 'OK' ? 'good' : trace.status === 'ERROR' ? 'bad' : 'live'}`, title: trace.status }),
      h('span.trace-name', h('bdi', visible(trace.name)), h('small.faint', [trace.metadata.phase, trace.metadata.row === undefined ? null : `row ${trace.metadata.row}`].filter(Boolean).join(' '))),
      h('span.trace-text', { dir: 'auto' }, visible(words(trace.requestPreview))),
      h('span.trace-text', { dir: 'auto' }, trace.status === 'ERROR' ? h('span.bad-text', visible(trace.statusMessage ?? '')) : visible(words(trace.responsePreview))),
      h('span.trace-verdicts', verdicts(trace)),
      h('span.number', duration(trace.duration)), h('span.number', short(trace.usage.totalTokens)), h('span.number.trace-cost', trace.cost ? money(trace.cost) : ''),
      h('time.number', { datetime: trace.startTime, title: dateTime(trace.startTime) }, ago(trace.startTime)));
  };
  const rows = new VirtualRows({ rowHeight: 36, fits: true, draw: row, onEnd: () => more(), props: { role: 'region', 'aria-label': 'Traces' } });
  rows.element.classList.add('traces');

  const ask = async (pageToken) => call('listTraces', {
    ...scope, filter: asFilter(text, 'traces'), orderBy: sort ? [sort] : [], maxResults: 100, ...(pageToken ? { pageToken } : {}),
  }, { signal: place.signal });
  const more = async () => {
    if (isLoading || !next) return;
    isLoading = true;
    const mine = token;
    try {
      const page = await ask(next);
      if (mine !== token) return;
      traces.push(...page.traces);
      next = page.nextPageToken;
      rows.setCount(traces.length, false);
    } finally {
      isLoading = false;
    }
  };
  const refresh = async (isPoll) => {
    const mine = ++token;
    let page;
    const slow = isPoll ? undefined : setTimeout(() => { if (mine === token) replace(box, loading(text ? 'Searching…' : undefined)); }, SOON);
    try {
      page = await ask();
    } catch (error) {
      if (error.name === 'AbortError' || isPoll) return undefined;
      if (error.kind === 'invalidParams') return error;
      replace(box, problem(error, () => refresh()));
      return undefined;
    } finally {
      clearTimeout(slow);
    }
    if (mine !== token) return undefined;
    if (isPoll && page.traces[0]?.traceId === traces[0]?.traceId) return undefined;
    traces = page.traces;
    next = page.nextPageToken;
    if (!traces.length) {
      replace(box, text ? empty('No trace matches', h('p', 'Filter by status, name, execution_time, total_tokens, span.name, feedback.… and more.'))
        : empty('No traces', h('p', 'Every execution is traced unless the run switched traces off (', h('code', 'autolog'), ').')));
      return undefined;
    }
    replace(box, h('div.trace-row.trace-head', { 'aria-hidden': 'true' }, h('span'), h('span', 'Trace'), h('span', 'Input'), h('span', 'Output'), h('span', 'Verdict'),
      h('span.number', 'Time'), h('span.number', 'Tokens'), h('span.number.trace-cost', 'Cost'), h('span.number', 'When')), rows.element);
    rows.setCount(traces.length);
    return undefined;
  };
  replace(panel, h('div.toolbar',
    filterLine({
      kind: 'traces', value: text, label: 'Search or filter the traces',
      keys: async () => ({}), onApply: (value) => { text = value; place.set({ traces: value }); return refresh(); },
    }),
    h('label.inline-label', h('span.offscreen', 'Order'), h('select', {
      'aria-label': 'Order', onChange: (event) => { sort = event.target.value; place.set({ order: sort }); refresh(); },
    }, SORTS.map(([value, label]) => h('option', { value, selected: value === sort }, label))))), box);
  await refresh();
  place.every(4000, async () => {
    if (panel.isConnected && !sort && rows.element.scrollTop < 10 && !panel.contains(document.activeElement)) await refresh(true);
  });
}
