'use strict';

// Hone in Visual Studio Code: program files (NAME.hone.json), runs, traces, comparison.

const path = require('node:path');
const vscode = require('vscode');
const { Documents, isProgram, workspaceEdit } = require('./lib/documents');
const { Pages, flat, runLines } = require('./lib/pages');
const { Runs } = require('./lib/runs');
const { Services, showError } = require('./lib/service');
const text = require('./lib/text');

class Hone {
  constructor() {
    this.services = new Services();
    const report = (error) => showError(error, this.services.log);
    this.documents = new Documents(this.services, report);
    this.pages = new Pages();
    this.runs = new Runs(() => this.place(), report);
    this.running = new Set();
    this.services.on('window/showMessage', (_, params) => {
      // What comes of long work is told from its answer.
      if (this.running.size) return;
      const show = params.type === 1 ? vscode.window.showErrorMessage : vscode.window.showInformationMessage;
      show(`Hone: ${text.clean(params.message)}`);
    });
  }

  register() {
    const commands = {
      'hone.compileFile': () => this.work('compile', 'hone.compile'),
      'hone.evaluateFile': () => this.work('evaluate', 'hone.evaluate'),
      'hone.estimateFile': () => this.estimate(),
      'hone.compileDetached': () => this.detach(),
      'hone.watchRun': (node) => this.watch(node),
      'hone.cancelRun': (node) => this.cancelRun(node),
      'hone.moreRuns': () => this.runs.more(),
      'hone.cancelWork': () => this.cancel(),
      'hone.loadBestProgram': () => this.load(),
      'hone.loadRun': (node) => this.load(node.run.runId),
      'hone.forgetAllowedKeys': () => this.forgetKeys(),
      'hone.diffPrograms': () => this.diffFile(),
      'hone.diffRuns': (node, nodes) => this.diffRuns(node, nodes),
      'hone.showLastTrace': () => this.lastTrace(),
      'hone.openRun': (node) => this.openRun(node),
      'hone.openTrace': (node) => this.openTrace(node.connection, { traceId: node.trace.traceId }),
      'hone.refreshRuns': () => this.runs.refresh(),
      'hone.switchScope': () => {
        this.runs.showsAll = !this.runs.showsAll;
        this.runs.refresh();
      },
    };
    const made = Object.entries(commands).map(([name, action]) =>
      vscode.commands.registerCommand(name, async (...given) => {
        try {
          return await action(...given);
        } catch (error) {
          showError(error, this.services.log);
          return undefined;
        }
      }));
    const view = vscode.window.createTreeView('hone.runs', { treeDataProvider: this.runs, canSelectMany: true });
    const followed = vscode.window.onDidChangeActiveTextEditor((editor) => {
      if (editor && isProgram(editor.document) && editor.document !== this.last) {
        this.last = editor.document;
        this.runs.refresh();
      }
    });
    return [...made, view, followed, ...this.documents.register(), ...this.pages.register()];
  }

  /** The program file at hand: the active one, else the last that was. */
  program() {
    const active = vscode.window.activeTextEditor;
    if (active && isProgram(active.document)) this.last = active.document;
    if (this.last && this.last.isClosed) this.last = undefined;
    return this.last;
  }

  /** The program file and its connection; without a file, the workspace's. */
  async place() {
    const document = this.program();
    if (document) {
      return { document, uri: document.uri.toString(), connection: await this.documents.connection(document) };
    }
    const folder = (vscode.workspace.workspaceFolders || [])[0];
    if (!folder) return undefined;
    return { connection: await this.services.forFile(path.join(folder.uri.fsPath, 'x.hone.json')) };
  }

  async file() {
    const at = await this.place();
    if (!at || !at.document) throw new Error('Open a program file (NAME.hone.json) first.');
    return at;
  }

  async work(name, command) {
    const at = await this.file();
    const title = `${name} ${path.basename(at.document.uri.fsPath)}`;
    const result = await this.follow(title, at.connection, command, { uri: at.uri });
    if (result) this.offer(`Hone: ${title}: ${text.outcome(result)}`, name === 'compile' && result.runId);
    return result;
  }

  /** Runs a command of the service with progress; tells of an error, or `cancelled`, in place of a result. */
  async follow(title, connection, command, argument, cancelled) {
    const options = { location: vscode.ProgressLocation.Notification, title: `Hone: ${title}`, cancellable: true };
    let result;
    try {
      result = await vscode.window.withProgress(options, (progress, cancellation) => {
        let shown = 0;
        const stop = new vscode.CancellationTokenSource();
        cancellation.onCancellationRequested(() => stop.cancel());
        this.running.add(stop);
        return Services.execute(connection, command, argument, {
          cancellation: stop.token,
          onProgress: (value) => {
            if (value.kind !== 'report') return;
            const percentage = Math.max(shown, value.percentage || 0);
            const message = `${percentage} % ${text.line(value.message || '')}`;
            progress.report({ message, increment: percentage - shown });
            shown = percentage;
          },
        }).finally(() => this.running.delete(stop));
      });
    } catch (error) {
      this.runs.refresh();
      showError(error, this.services.log, title, cancelled);
      return undefined;
    }
    this.runs.refresh();
    return result;
  }

  async estimate() {
    const at = await this.file();
    const answer = await Services.execute(at.connection, 'hone.estimate', { uri: at.uri });
    return this.pages.show('estimate', answer.lines);
  }

  /** Compiles in the shared service: it continues after the editor closes. */
  async detach() {
    const at = await this.file();
    const { runId } = await Services.execute(at.connection, 'hone.compile', { uri: at.uri, detach: true });
    this.runs.refresh();
    const said = `Hone: compiling in the background as run ${text.short(runId)}.`;
    vscode.window.showInformationMessage(said, 'Watch').then((choice) => {
      if (choice) vscode.commands.executeCommand('hone.watchRun');
    });
  }

  /** Follows a run in progress: the one chosen, or the file's latest. */
  async watch(node) {
    const at = node || await this.file();
    const title = `watch ${node ? text.line(node.run.name) : path.basename(at.document.uri.fsPath)}`;
    const argument = node ? { run: node.run.runId } : { uri: at.uri };
    const result = await this.follow(
      title, at.connection, 'hone.watch', argument, 'is no longer watched; the run continues');
    if (result) this.offer(`Hone: ${title}: ${text.outcome(result)}`, false);
  }

  /** Ends a run, whoever started it. */
  async cancelRun({ run, connection }) {
    const { cancelled } = await Services.execute(connection, 'hone.cancel', { run: run.runId });
    this.runs.refresh();
    const said = cancelled ? 'was cancelled; finished results are tracked' : 'was not running';
    vscode.window.showInformationMessage(`Hone: run ${text.short(run.runId)} ${said}.`);
  }

  /** Takes back which keys the file may send where. */
  async forgetKeys() {
    const at = await this.file();
    if (!at) return;
    const { forgotten } = await Services.execute(at.connection, 'hone.forgetKeys', { uri: at.uri });
    const gone = forgotten.map((one) => `${one.variable} to ${one.host}`).join(', ');
    vscode.window.showInformationMessage(
      `Hone: ${gone ? `this file may no longer send ${text.clean(gone)}` : 'nothing was allowed for this file'}.`);
  }

  async offer(message, run) {
    const choice = await vscode.window.showInformationMessage(message, ...(run ? ['Load into File'] : []));
    if (choice) await vscode.commands.executeCommand('hone.loadBestProgram');
  }

  cancel() {
    if (!this.running.size) throw new Error('Nothing is running.');
    for (const stop of this.running) stop.cancel();
  }

  async load(run) {
    const at = await this.file();
    const answer = await Services.execute(at.connection, 'hone.loadBest', { uri: at.uri, ...(run ? { run } : {}) });
    if (!(await vscode.workspace.applyEdit(workspaceEdit(answer.edit)))) {
      throw new Error('The file has changed. Load the program again.');
    }
    const score = typeof answer.score === 'number' ? `, score ${text.score(answer.score)}` : '';
    vscode.window.showInformationMessage(`Hone: loaded the program of run ${text.short(answer.runId)}${score}.`);
  }

  async fileRuns(at) {
    const { runs } = await Services.execute(at.connection, 'hone.runs', { uri: at.uri, onlyFile: true, limit: 50 });
    if (!runs.length) throw new Error('This file has no runs yet. Compile or evaluate it first.');
    return runs;
  }

  async lastTrace() {
    const at = await this.file();
    const [run] = await this.fileRuns(at);
    const rank = (one) => (typeof one.score === 'number' ? one.score : -1);
    const [best = run] = [...run.children].sort((a, b) => rank(b) - rank(a));
    return this.openTrace(at.connection, { runId: best.runId });
  }

  async openTrace(connection, argument) {
    const answer = await Services.execute(connection, 'hone.trace', argument);
    return this.pages.show(`trace ${text.short(answer.traceId)}`, answer.lines);
  }

  async openRun({ run, connection }) {
    const [whole, listed] = await Promise.all([
      connection.request('getRun', { runId: run.runId }),
      connection.request('listTraces', { runId: run.runId, maxResults: 200 }),
    ]);
    return this.pages.show(`run ${text.short(run.runId)}`, runLines(whole.run, listed.traces));
  }

  async diffFile() {
    const at = await this.file();
    const items = [];
    const add = (run, depth) => {
      const label = '  '.repeat(depth) + text.line(run.name);
      items.push({ label, description: text.score(run.score), detail: text.when(run), run });
      for (const child of run.children) add(child, depth + 1);
    };
    for (const run of await this.fileRuns(at)) add(run, 0);
    const placeHolder = 'Compare this file with the program of a run';
    const chosen = await vscode.window.showQuickPick(items, { placeHolder });
    if (chosen) await this.diff(at.connection, { uri: at.uri }, { run: chosen.run.runId });
  }

  async diffRuns(node, nodes = [node]) {
    const runs = nodes.filter((one) => one.kind === 'run');
    if (runs.length === 2) {
      return this.diff(node.connection, { run: runs[0].run.runId }, { run: runs[1].run.runId });
    }
    if (runs.length > 2) throw new Error('Select two runs, or one to compare with the file.');
    const at = await this.file();
    return this.diff(at.connection, { uri: at.uri }, { run: node.run.runId });
  }

  async diff(connection, left, right) {
    const answer = await Services.execute(connection, 'hone.diff', { left, right });
    const [before, after] = [answer.left, answer.right].map((side, index) =>
      this.pages.put(`${index ? 'right' : 'left'} ${side.title}`, flat(side.text)));
    await vscode.commands.executeCommand(
      'vscode.diff', before, after, text.line(`${answer.left.title} ↔ ${answer.right.title}`));
  }
}

let hone;

function activate(context) {
  hone = new Hone();
  context.subscriptions.push(...hone.register());
}

async function deactivate() {
  if (hone) await hone.services.dispose();
  hone = undefined;
}

module.exports = { activate, deactivate };
