'use strict';

// Read-only documents: traces and runs, whose parts fold, and programs to compare. How deep a line stands is kept
// beside the text and never read from it, so that no answer of a model can pass itself off as a part.

const vscode = require('vscode');
const text = require('./text');

const scheme = 'hone';
// How many pages are kept for editors that come back to them.
const kept = 100;

class Pages {
  constructor() {
    this.pages = new Map();
    this.changes = new vscode.EventEmitter();
    this.onDidChange = this.changes.event;
  }

  register() {
    return [
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      vscode.languages.registerFoldingRangeProvider({ scheme }, this),
    ];
  }

  /** Makes a page of lines {depth, text} and gives its address. */
  put(name, lines) {
    const uri = vscode.Uri.from({ scheme, path: `/${text.line(name).replace(/[/\\?#]/g, '-')}` });
    this.pages.delete(uri.toString());
    this.pages.set(uri.toString(), lines);
    if (this.pages.size > kept) this.pages.delete(this.pages.keys().next().value);
    this.changes.fire(uri);
    return uri;
  }

  provideTextDocumentContent(uri) {
    const lines = this.pages.get(uri.toString()) || [];
    return lines.map(({ depth, text: content }) => '  '.repeat(depth) + text.line(content)).join('\n');
  }

  provideFoldingRanges(document) {
    const lines = this.pages.get(document.uri.toString()) || [];
    const ranges = [];
    const open = [];
    const close = (depth, last) => {
      while (open.length && lines[open[open.length - 1]].depth >= depth) {
        const start = open.pop();
        if (last > start) ranges.push(new vscode.FoldingRange(start, last));
      }
    };
    lines.forEach((one, index) => {
      close(one.depth, index - 1);
      open.push(index);
    });
    close(-1, lines.length - 1);
    return ranges.sort((a, b) => a.start - b.start);
  }

  /** Opens a page in an editor. */
  async show(name, lines) {
    const document = await vscode.workspace.openTextDocument(this.put(name, lines));
    return vscode.window.showTextDocument(document, { preview: true });
  }
}

/** A text of several lines as lines of a page. */
function flat(content) {
  return text.clean(content).split('\n').map((one) => ({ depth: 0, text: one }));
}

/** A run, its figures and settings, as lines of a page. */
function runLines(run, traces) {
  const lines = [
    { depth: 0, text: `${run.name}  ${run.status}` },
    { depth: 1, text: `run ${run.runId}` },
    { depth: 1, text: text.when(run) },
  ];
  for (const part of ['metrics', 'params', 'tags']) {
    const members = Object.entries(run[part] || {});
    if (members.length) lines.push({ depth: 1, text: part });
    for (const [name, value] of members) lines.push({ depth: 2, text: `${name}: ${text.value(value)}` });
  }
  if (traces.length) lines.push({ depth: 1, text: `traces (${traces.length})` });
  for (const trace of traces) {
    const verdicts = (trace.assessments || []).map((one) => text.value(one.value)).join(' ');
    lines.push({ depth: 2, text: `${trace.status}  ${verdicts}  ${trace.requestPreview || ''}` });
  }
  return lines;
}

module.exports = { Pages, flat, runLines };
