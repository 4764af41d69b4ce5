'use strict';

// A stand-in for Visual Studio Code: the part of its API that the extension uses, over files in a directory.

const fs = require('node:fs');
const { URL, pathToFileURL, fileURLToPath } = require('node:url');

class Uri {
  constructor(scheme, path) {
    this.scheme = scheme;
    this.path = path;
  }

  static file(path) {
    return new Uri('file', path);
  }

  static from({ scheme, path }) {
    return new Uri(scheme, path);
  }

  static parse(text) {
    const url = new URL(text);
    return new Uri(url.protocol.slice(0, -1), decodeURIComponent(url.pathname));
  }

  get fsPath() {
    return this.path;
  }

  toString() {
    if (this.scheme === 'file') return pathToFileURL(this.path).href;
    return `${this.scheme}:${encodeURI(this.path)}`;
  }
}

class Position {
  constructor(line, character) {
    this.line = line;
    this.character = character;
  }

  isBefore(other) {
    return this.line < other.line || (this.line === other.line && this.character < other.character);
  }
}

class Range {
  constructor(startLine, startCharacter, endLine, endCharacter) {
    this.start = new Position(startLine, startCharacter);
    this.end = new Position(endLine, endCharacter);
  }

  intersection(other) {
    return this.end.isBefore(other.start) || other.end.isBefore(this.start) ? undefined : this;
  }
}

class EventEmitter {
  constructor() {
    this.listeners = new Set();
    this.event = (listener) => {
      this.listeners.add(listener);
      return { dispose: () => this.listeners.delete(listener) };
    };
  }

  fire(value) {
    for (const listener of this.listeners) listener(value);
  }
}

class CancellationTokenSource {
  constructor() {
    this.emitter = new EventEmitter();
    this.token = { isCancellationRequested: false, onCancellationRequested: this.emitter.event };
  }

  cancel() {
    this.token.isCancellationRequested = true;
    this.emitter.fire();
  }
}

class WorkspaceEdit {
  constructor() {
    this.edits = [];
  }

  replace(uri, range, text) {
    this.edits.push({ uri, range, text });
  }
}

class MarkdownString {
  constructor() {
    this.value = '';
  }

  appendText(text) {
    this.value += text.replace(/[\\`*_{}[\]()#+\-!~<>]/g, '\\$&');
    this.text = (this.text || '') + text;
    return this;
  }
}

class Document {
  constructor(uri, text) {
    this.uri = uri;
    this.text = text;
    this.version = 1;
    this.isClosed = false;
  }

  getText() {
    return this.text;
  }

  offset({ line, character }) {
    return this.text.split('\n').slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  }

  positionOf(needle) {
    const before = this.text.slice(0, this.text.indexOf(needle)).split('\n');
    return new Position(before.length - 1, before[before.length - 1].length);
  }
}

const kind = (...names) => Object.fromEntries(names.map((name, index) => [name, index]));
const plain = (...fields) => class {
  constructor(...values) {
    fields.forEach((field, index) => { this[field] = values[index]; });
  }
};

/** An editor with what was seen in it: messages, progress, diagnostics, documents, comparisons. */
function makeEditor(settings) {
  const seen = { messages: [], errors: [], questions: [], choice: undefined, progress: [], diffs: [], choices: [] };
  const events = {
    open: new EventEmitter(), change: new EventEmitter(), save: new EventEmitter(), close: new EventEmitter(),
    active: new EventEmitter(),
  };
  const commands = new Map();
  const contents = new Map();
  const providers = {};
  const diagnostics = new Map();
  const documents = [];
  let cancellation;

  const provide = (name) => (_selector, provider) => {
    providers[name] = provider;
    return { dispose() {} };
  };

  const vscode = {
    version: '1.75.0', Uri, Position, Range, EventEmitter, CancellationTokenSource, WorkspaceEdit, MarkdownString,
    Diagnostic: plain('range', 'message', 'severity'), Hover: plain('contents', 'range'),
    CompletionItem: plain('label', 'kind'), CodeAction: plain('title', 'kind'), CodeLens: plain('range', 'command'),
    FoldingRange: plain('start', 'end'), TreeItem: plain('label', 'collapsibleState'), ThemeIcon: plain('id'),
    DiagnosticSeverity: kind('Error', 'Warning'), CodeActionKind: { QuickFix: 'quickfix' },
    TreeItemCollapsibleState: kind('None', 'Collapsed', 'Expanded'), ProgressLocation: { Notification: 15 },
    window: {
      activeTextEditor: undefined,
      createOutputChannel: () => ({ append() {}, appendLine() {}, show() {}, dispose() {} }),
      createTreeView: (_id, { treeDataProvider }) => {
        providers.tree = treeDataProvider;
        return { dispose() {} };
      },
      onDidChangeActiveTextEditor: events.active.event,
      showInformationMessage: async (message) => { seen.messages.push(message); },
      showWarningMessage: async (message, _options, ...titles) => {
        seen.questions.push(message);
        return titles.find((title) => title === seen.choice);
      },
      showErrorMessage: async (message) => { seen.errors.push(message); },
      showQuickPick: async (items) => items[0],
      showTextDocument: async (document) => {
        vscode.window.activeTextEditor = { document };
        events.active.fire(vscode.window.activeTextEditor);
        return vscode.window.activeTextEditor;
      },
      withProgress: async (options, task) => {
        cancellation = new CancellationTokenSource();
        seen.progress.push([]);
        const reports = seen.progress[seen.progress.length - 1];
        return task({ report: (value) => reports.push(value) }, options.cancellable ? cancellation.token : undefined);
      },
    },
    workspace: {
      textDocuments: documents,
      workspaceFolders: [{ uri: Uri.file(process.cwd()) }],
      getConfiguration: () => ({ get: (name, otherwise) => (name in settings ? settings[name] : otherwise) }),
      onDidOpenTextDocument: events.open.event,
      onDidChangeTextDocument: events.change.event,
      onDidSaveTextDocument: events.save.event,
      onDidCloseTextDocument: events.close.event,
      registerTextDocumentContentProvider: (scheme, provider) => {
        contents.set(scheme, provider);
        return { dispose() {} };
      },
      openTextDocument: async (uri) => {
        const known = documents.find((one) => one.uri.toString() === uri.toString());
        if (known && uri.scheme === 'file') return known;
        const text = uri.scheme === 'file'
          ? fs.readFileSync(fileURLToPath(uri.toString()), 'utf8')
          : await contents.get(uri.scheme).provideTextDocumentContent(uri);
        const document = new Document(uri, text);
        documents.push(document);
        events.open.fire(document);
        return document;
      },
      applyEdit: async ({ edits }) => {
        for (const { uri, range, text } of edits) {
          const document = await vscode.workspace.openTextDocument(uri);
          const before = document.text;
          const [start, end] = [document.offset(range.start), document.offset(range.end)];
          document.text = before.slice(0, start) + text + before.slice(end);
          document.version += 1;
          events.change.fire({ document });
        }
        return true;
      },
    },
    languages: {
      createDiagnosticCollection: () => ({
        set: (uri, list) => diagnostics.set(uri.toString(), list),
        delete: (uri) => diagnostics.delete(uri.toString()),
        dispose() {},
      }),
      registerHoverProvider: provide('hover'),
      registerCompletionItemProvider: provide('completion'),
      registerCodeActionsProvider: provide('actions'),
      registerCodeLensProvider: provide('lenses'),
      registerFoldingRangeProvider: provide('folding'),
    },
    commands: {
      registerCommand: (name, action) => {
        commands.set(name, action);
        return { dispose: () => commands.delete(name) };
      },
      executeCommand: async (name, ...given) => {
        if (name === 'vscode.diff') {
          const sides = await Promise.all(given.slice(0, 2).map((uri) => vscode.workspace.openTextDocument(uri)));
          seen.diffs.push({ left: sides[0].getText(), right: sides[1].getText(), title: given[2] });
          return undefined;
        }
        return commands.get(name)(...given);
      },
    },
  };
  const save = (document) => {
    fs.writeFileSync(document.uri.fsPath, document.text);
    events.save.fire(document);
  };
  return { vscode, seen, providers, diagnostics, commands, save, cancel: () => cancellation.cancel() };
}

module.exports = { makeEditor };
