// The data sets of a run and their rows.

import { h, place, replace } from '../dom.js';
import { bytes, plural } from '../format.js';
import { artifactJSON, call } from '../rpc.js';
import { block, inline, plain, visible } from '../text.js';
import { dialog, empty, loading } from '../ui.js';
import { VirtualRows } from './virtual.js';

const CONTEXTS = { training: 'Training data', validation: 'Validation data', evaluation: 'Evaluation data', train: 'Training data', eval: 'Evaluation data' };
const FILES = { training: ['trainset.json'], validation: ['valset.json'], test: ['testset.json'], evaluation: ['result_table.json', 'valset.json'], train: ['trainset.json'], eval: ['valset.json', 'result_table.json'] };

function rowDialog(table, index) {
  dialog(`Row ${index}`, () => h('div.row-dialog', table.columns.map((column, at) => [h('h3', inline(column, 100)), block(plain(table.data[index][at]))])));
}

/** A table `{columns, data}` of any length. */
export function dataTable(table, label) {
  const columns = table.columns.map((name, at) => ({ name, at })).filter(({ name }) => name !== 'trace_id');
  const line = (cells, props) => {
    const row = h('div.data-row', props, cells);
    place(row, { 'grid-template-columns': `56px repeat(${columns.length}, minmax(140px, 1fr))` });
    return row;
  };
  const rows = new VirtualRows({
    rowHeight: 34,
    draw: (index) => line([
      h('span.number.faint', { role: 'cell' }, index),
      columns.map(({ at }) => h('span', { role: 'cell', dir: 'auto' }, visible(plain(table.data[index][at]) ?? '').slice(0, 300))),
    ], {
      role: 'row', 'aria-rowindex': String(index + 2), 'aria-label': `Row ${index}`, tabindex: '0', onClick: () => rowDialog(table, index), onKeydown: (event) => { if (event.key === 'Enter') rowDialog(table, index); },
    }),
    props: { role: 'rowgroup', 'aria-label': `Rows of ${label}` },
  });
  rows.element.classList.add('data-rows');
  place(rows.element, { height: `${Math.min(table.data.length * 34 + 2, 442)}px` });
  requestAnimationFrame(() => rows.setCount(table.data.length));
  return h('div.data-table', { role: 'table', 'aria-label': label, 'aria-rowcount': String(table.data.length + 1) },
    h('div', { role: 'rowgroup' }, line([h('span.number', { role: 'columnheader' }, 'Row'), columns.map(({ name }) => h('span', { role: 'columnheader' }, inline(name, 60)))], { role: 'row', class: 'data-head' })), rows.element);
}

/** Whether a file holds a table. */
export function isTable(value) {
  return Array.isArray(value?.columns) && Array.isArray(value?.data) && value.data.every((row) => Array.isArray(row) && row.length === value.columns.length);
}

function source(input) {
  try {
    const found = JSON.parse(input.source);
    return found.path ?? found.uri ?? found.url ?? found.name ?? '';
  } catch {
    return input.source;
  }
}

function rowsOf(input) {
  try { return JSON.parse(input?.profile ?? '{}').num_rows; } catch { return undefined; }
}

export async function dataView(panel, { run, place: where }) {
  replace(panel, loading());
  const { files } = await call('listArtifacts', { runId: run.runId }, { signal: where.signal });
  const sizes = new Map(files.map((file) => [file.path, file.size]));
  const shown = new Set();
  const sections = [];
  const section = async (title, input, path) => {
    const body = h('div');
    const origin = input ? source(input) : '';
    const meta = h('div.meta', input ? h('span', inline(input.name, 80)) : null, input ? h('code.faint', inline(input.digest, 20)) : null, rowsOf(input) === undefined ? null : h('span.faint', plural(rowsOf(input), 'row')), origin && origin !== input.name ? h('span.faint', inline(origin, 120)) : null);
    sections.push(h('section.card.flush', h('div.card-head', h('h2', title), meta), body));
    if (!path) { replace(body, h('p.faint.pad', 'The rows were not stored with this run.')); return; }
    shown.add(path);
    const load = async () => {
      const table = await artifactJSON(run.runId, path, { signal: where.signal });
      replace(body, isTable(table) ? dataTable(table, title) : h('p.faint.pad', 'This file is not a table.'));
      if (isTable(table) && rowsOf(input) === undefined) meta.append(h('span.faint', plural(table.data.length, 'row')));
    };
    if (sizes.get(path) > 4e6) replace(body, h('p.pad', h('button', { onClick: load }, `Load ${bytes(sizes.get(path))} of rows`)));
    else await load();
  };
  for (const input of run.inputs) {
    const path = (FILES[input.context] ?? []).find((file) => sizes.has(file) && !shown.has(file));
    await section(CONTEXTS[input.context] ?? `Used for ${visible(input.context)}`, input, path);
  }
  for (const [path, title] of [['trainset.json', 'Training data'], ['valset.json', 'Validation data'], ['testset.json', 'Test data'], ['result_table.json', 'Results']]) {
    if (sizes.has(path) && !shown.has(path)) await section(title, undefined, path);
  }
  replace(panel, sections.length ? h('div.stack', sections) : empty('No data sets', h('p', 'This run recorded no data.')));
  if (sections.length && !run.inputs.some((input) => /valid|eval/.test(input.context)) && run.params.optimizer) {
    panel.append(h('p.faint', 'No validation data was given: part of the training data was set aside.'));
  }
}

