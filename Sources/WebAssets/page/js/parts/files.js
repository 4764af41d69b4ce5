// The files of a run.

import { h, replace } from '../dom.js';
import { bytes } from '../format.js';
import { call } from '../rpc.js';
import { block, inline, visible } from '../text.js';
import { button, copyButton, empty, loading } from '../ui.js';
import { dataTable, isTable } from './data.js';

const SHOWN = 512 << 10;
const MOST_PICTURE = 8 << 20;
/** Pictures that hold nothing but pixels. */
const PICTURES = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp' };

async function bytesOf(runId, path, signal) {
  const parts = [];
  let offset = 0;
  for (;;) {
    const part = await call('getArtifact', { runId, path, offset, length: 8 << 20 }, { signal });
    parts.push(part.base64 === undefined ? new TextEncoder().encode(part.text) : Uint8Array.from(atob(part.base64), (c) => c.charCodeAt(0)));
    offset += part.length;
    if (offset >= part.totalSize || part.length === 0) return new Blob(parts, { type: 'application/octet-stream' });
  }
}

async function download(runId, path, signal) {
  const url = URL.createObjectURL(await bytesOf(runId, path, signal));
  const link = h('a', { href: url, download: path.split('/').pop() });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export async function filesView(panel, { run, place }) {
  replace(panel, loading());
  const view = h('div.file-view', h('p.faint.pad', 'Choose a file.'));
  const { artifactUri, files } = await call('listArtifacts', { runId: run.runId }, { signal: place.signal });
  if (!files.length) {
    replace(panel, empty('No files', h('p', 'This run stored none.')));
    return;
  }
  const show = async (file, link) => {
    for (const other of panel.querySelectorAll('.file-list [aria-current]')) other.removeAttribute('aria-current');
    link.setAttribute('aria-current', 'true');
    place.set({ file: file.path });
    replace(view, loading());
    const part = await call('getArtifact', { runId: run.runId, path: file.path, length: 8 << 20 }, { signal: place.signal });
    const head = h('div.card-head', h('h2', inline(file.path, 200)), h('span.faint', bytes(part.totalSize)),
      h('span.spacer'), copyButton(`${artifactUri}/${file.path}`, 'Copy URI'), part.text === undefined ? null : copyButton(() => part.text, 'Copy text'), button('Download', () => download(run.runId, file.path, place.signal), { kind: 'small', iconName: 'download' }));
    const picture = PICTURES[file.path.split('.').pop().toLowerCase()];
    if (part.base64 !== undefined && picture && part.length === part.totalSize && part.totalSize <= MOST_PICTURE) {
      replace(view, head, h('div.pad', h('img.picture', { src: `data:${picture};base64,${part.base64}`, alt: visible(file.path) })));
      return;
    }
    if (part.text === undefined) { replace(view, head, h('p.faint.pad', 'This file is not text.')); return; }
    let value;
    if (part.length === part.totalSize) try { value = JSON.parse(part.text); } catch { /* no JSON: shown as text */ }
    if (isTable(value)) { replace(view, head, dataTable(value, file.path)); return; }
    const text = value === undefined ? part.text : JSON.stringify(value, null, 2);
    replace(view, head, h('div.pad', block(text.slice(0, SHOWN)), text.length > SHOWN ? h('p.faint', 'Truncated; download the file for the rest.') : null));
  };
  const listOf = async (entries) => h('ul.file-list', await Promise.all(entries.map(async (file) => {
    if (file.isDirectory) {
      const below = await call('listArtifacts', { runId: run.runId, path: file.path }, { signal: place.signal });
      return h('li', h('details', { open: true }, h('summary', visible(file.path.split('/').pop())), await listOf(below.files)));
    }
    return h('li', h('button.file', { 'data-path': file.path, onClick: (event) => show(file, event.currentTarget) }, h('span', visible(file.path.split('/').pop())), h('small.faint', bytes(file.size))));
  })));
  replace(panel, h('div.files', h('nav', { 'aria-label': 'Files' }, await listOf(files)), h('section.card.flush', view)));
  const wanted = place.query.get('file') ?? 'best_model.json';
  const buttons = [...panel.querySelectorAll('button.file')];
  (buttons.find((one) => one.dataset.path === wanted) ?? buttons.find((one) => one.dataset.path === 'model.json') ?? buttons[0])?.click();
}
