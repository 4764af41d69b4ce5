'use strict';

// Program files: the service is told of their text, and what it says about them is shown.

const vscode = require('vscode');
const text = require('./text');

const selector = { scheme: 'file', pattern: '**/*.hone.json' };

function isProgram(document) {
  return document.uri.scheme === 'file' && document.uri.path.endsWith('.hone.json');
}

const range = ({ start, end }) => new vscode.Range(start.line, start.character, end.line, end.character);
const lspPosition = ({ line, character }) => ({ line, character });

/** LSP's workspace edit as the editor's. */
function workspaceEdit(edit) {
  const made = new vscode.WorkspaceEdit();
  for (const [uri, edits] of Object.entries(edit.changes || {})) {
    for (const change of edits) made.replace(vscode.Uri.parse(uri), range(change.range), change.newText);
  }
  return made;
}

class Documents {
  /** @param {import('./service').Services} services */
  constructor(services, report) {
    this.services = services;
    this.report = report;
    this.open = new Map();
    this.diagnostics = vscode.languages.createDiagnosticCollection('hone');
    services.on('textDocument/publishDiagnostics', (connection, params) => this.take(connection, params));
  }

  register() {
    const { workspace, languages } = vscode;
    for (const document of workspace.textDocuments) this.opened(document);
    return [
      this.diagnostics,
      workspace.onDidOpenTextDocument((document) => this.opened(document)),
      workspace.onDidChangeTextDocument((event) => this.changed(event.document)),
      workspace.onDidSaveTextDocument((document) => this.tell(document, 'textDocument/didSave')),
      workspace.onDidCloseTextDocument((document) => this.closed(document)),
      languages.registerHoverProvider(selector, { provideHover: (...at) => this.hover(...at) }),
      languages.registerCompletionItemProvider(
        selector, { provideCompletionItems: (...at) => this.complete(...at) }, '"'),
      languages.registerCodeActionsProvider(selector, { provideCodeActions: (...at) => this.actions(...at) }),
      languages.registerCodeLensProvider(selector, { provideCodeLenses: (...at) => this.lenses(...at) }),
    ];
  }

  opened(document) {
    if (isProgram(document)) this.connection(document).catch((error) => this.report(error));
  }

  /** The connection that knows the document's text as it is now. */
  async connection(document) {
    const connection = await this.services.forFile(document.uri.fsPath);
    const key = document.uri.toString();
    const known = this.open.get(key);
    if (!known || known.connection !== connection) {
      this.open.set(key, { connection, version: document.version, timer: undefined, diagnostics: [] });
      connection.notify('textDocument/didOpen', {
        textDocument: { uri: key, languageId: 'hone', version: document.version, text: document.getText() },
      });
    } else {
      this.flush(document);
    }
    return connection;
  }

  changed(document) {
    const known = this.open.get(document.uri.toString());
    if (!known) return;
    clearTimeout(known.timer);
    known.timer = setTimeout(() => this.flush(document), 150);
  }

  flush(document) {
    const known = this.open.get(document.uri.toString());
    if (!known || known.version === document.version) return;
    clearTimeout(known.timer);
    known.version = document.version;
    known.connection.notify('textDocument/didChange', {
      textDocument: { uri: document.uri.toString(), version: document.version },
      contentChanges: [{ text: document.getText() }],
    });
  }

  tell(document, method) {
    const known = this.open.get(document.uri.toString());
    if (!known) return;
    this.flush(document);
    known.connection.notify(method, { textDocument: { uri: document.uri.toString() } });
  }

  closed(document) {
    this.tell(document, 'textDocument/didClose');
    const known = this.open.get(document.uri.toString());
    if (known) clearTimeout(known.timer);
    this.open.delete(document.uri.toString());
    this.diagnostics.delete(document.uri);
  }

  take(connection, params) {
    const uri = vscode.Uri.parse(params.uri);
    const known = this.open.get(uri.toString());
    if (!known || known.connection !== connection) return;
    if (typeof params.version === 'number' && params.version !== known.version) return;
    known.diagnostics = params.diagnostics;
    this.diagnostics.set(uri, params.diagnostics.map((from) => {
      const severity = from.severity === 1 ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
      const made = new vscode.Diagnostic(range(from.range), text.clean(from.message), severity);
      made.source = 'hone';
      made.code = from.code;
      return made;
    }));
  }

  /** Asks about a place in a document; what goes wrong there is no reason to disturb. */
  async ask(document, method, params) {
    try {
      const connection = await this.connection(document);
      return await connection.request(method, { textDocument: { uri: document.uri.toString() }, ...params });
    } catch (error) {
      this.services.log.appendLine(text.errorText(error));
      return undefined;
    }
  }

  async hover(document, position) {
    const hover = await this.ask(document, 'textDocument/hover', { position: lspPosition(position) });
    if (!hover) return undefined;
    // As text, not as Markdown: it may quote what a model wrote.
    const shown = new vscode.MarkdownString().appendText(text.clean(hover.contents.value));
    return new vscode.Hover(shown, hover.range && range(hover.range));
  }

  async complete(document, position) {
    const answer = await this.ask(document, 'textDocument/completion', { position: lspPosition(position) });
    const items = Array.isArray(answer) ? answer : (answer && answer.items) || [];
    return items.map((from) => {
      const item = new vscode.CompletionItem(text.line(from.label), from.kind ? from.kind - 1 : undefined);
      item.detail = from.detail && text.clean(from.detail);
      item.insertText = from.textEdit ? from.textEdit.newText : from.insertText || from.label;
      if (from.textEdit) item.range = range(from.textEdit.range);
      return item;
    });
  }

  async actions(document, where) {
    const known = this.open.get(document.uri.toString());
    const here = (known ? known.diagnostics : []).filter((one) => range(one.range).intersection(where));
    const answer = await this.ask(document, 'textDocument/codeAction', {
      range: { start: lspPosition(where.start), end: lspPosition(where.end) }, context: { diagnostics: here },
    });
    return (answer || []).filter((from) => from.edit).map((from) => {
      const action = new vscode.CodeAction(text.line(from.title), vscode.CodeActionKind.QuickFix);
      action.edit = workspaceEdit(from.edit);
      action.isPreferred = from.isPreferred;
      return action;
    });
  }

  async lenses(document) {
    const answer = await this.ask(document, 'textDocument/codeLens', {});
    const commands = {
      'hone.compile': 'hone.compileFile', 'hone.evaluate': 'hone.evaluateFile', 'hone.loadBest': 'hone.loadBestProgram',
    };
    return (answer || []).filter((from) => from.command).map((from) => new vscode.CodeLens(range(from.range), {
      title: text.line(from.command.title), command: commands[from.command.command] || '',
    }));
  }
}

module.exports = { Documents, isProgram, workspaceEdit };
