'use strict';

// Services by the directory of their store, started when they are needed.

const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');
const { Connection, HoneError } = require('./connection');
const text = require('./text');

/** The directory whose store a file uses: the nearest with one, the project's, or the file's own. */
function root(file) {
  const own = path.dirname(file);
  for (const name of ['.hone', '.git']) {
    for (let directory = own; ; directory = path.dirname(directory)) {
      if (fs.existsSync(path.join(directory, name))) return directory;
      if (directory === path.dirname(directory)) break;
    }
  }
  return own;
}

class Services {
  constructor() {
    this.log = vscode.window.createOutputChannel('Hone');
    this.starting = new Map();
    this.listeners = [];
  }

  /** What takes notifications: a method and a function of the connection and the parameters. */
  on(method, listener) {
    this.listeners.push([method, listener]);
  }

  /** The connection for a file; `fresh` says whether it was started just now. */
  forFile(file) {
    const settings = vscode.workspace.getConfiguration('hone');
    const attach = settings.get('attach', false);
    const directory = root(file);
    if (!this.starting.has(directory)) {
      const started = this.start(settings, attach, directory, () => {
        if (this.starting.get(directory) === started) this.starting.delete(directory);
      });
      this.starting.set(directory, started);
    }
    return this.starting.get(directory);
  }

  async start(settings, attach, directory, ended) {
    const args = ['serve', ...(attach ? ['--attach'] : []), ...settings.get('arguments', [])];
    const connection = new Connection(settings.get('path', 'hone'), args, {
      cwd: directory, log: (words) => this.log.append(text.clean(words)), ended,
    });
    connection.answer('window/showMessageRequest', async (params) => {
      const titles = (params.actions || []).map((action) => action.title);
      const title = await vscode.window.showWarningMessage(
        `Hone: ${text.clean(params.message)}`, { modal: true }, ...titles);
      return title && { title };
    });
    for (const [method, listener] of this.listeners) {
      connection.on(method, (params) => listener(connection, params));
    }
    await connection.request('initialize', {
      processId: process.pid,
      clientInfo: { name: 'Visual Studio Code', version: vscode.version },
      rootUri: vscode.Uri.file(directory).toString(),
      capabilities: {
        textDocument: {
          publishDiagnostics: { versionSupport: true },
          hover: { contentFormat: ['plaintext'] },
          codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['', 'quickfix', 'source'] } } },
        },
      },
    });
    connection.notify('initialized', {});
    return connection;
  }

  /** The result of one of the service's commands. */
  static execute(connection, command, argument, options) {
    return connection.request('workspace/executeCommand', { command, arguments: [argument] }, options);
  }

  async dispose() {
    const all = [...this.starting.values()];
    this.starting.clear();
    for (const started of all) {
      const connection = await started.catch(() => undefined);
      if (connection) await connection.dispose();
    }
    this.log.dispose();
  }
}

/** Shows an error as a message with what to do; never a stack trace. */
async function showError(error, log, title = '', cancelled = 'was cancelled; finished results are tracked') {
  if (error instanceof HoneError && error.isCancelled) {
    vscode.window.showInformationMessage(`Hone: ${title || 'the request'} ${cancelled}.`);
    return;
  }
  const known = error instanceof HoneError;
  const message = known ? text.errorText(error) : text.clean(error && error.message ? error.message : error);
  const failed = title ? `${title} failed: ` : '';
  const choice = await vscode.window.showErrorMessage(`Hone: ${failed}${message}`, 'Show Log');
  if (choice === 'Show Log') log.show();
}

module.exports = { Services, showError };
