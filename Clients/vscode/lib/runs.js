'use strict';

// The tree of runs: a compile, its candidates, their traces.

const vscode = require('vscode');
const { Services } = require('./service');
const text = require('./text');

// How many are shown at first, and how many more each time.
const step = 200;

const icons = { FINISHED: 'pass', RUNNING: 'sync', FAILED: 'error', KILLED: 'circle-slash' };

class Runs {
  /** @param {() => Promise<{connection: any, uri?: string}>} at gives the program file at hand. */
  constructor(at, report) {
    this.at = at;
    this.report = report;
    this.showsAll = false;
    this.limit = step;
    this.changes = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.changes.event;
  }

  refresh() {
    this.changes.fire(undefined);
  }

  /** Shows earlier runs, or earlier traces of a run, too. */
  more() {
    this.limit += step;
    this.refresh();
  }

  async getChildren(node) {
    try {
      if (!node) return await this.top();
      if (node.kind === 'run' && node.run.children.length) {
        return node.run.children.map((run) => ({ kind: 'run', run, connection: node.connection }));
      }
      if (node.kind === 'run') return await this.traces(node);
      return [];
    } catch (error) {
      this.report(error);
      return [];
    }
  }

  async top() {
    const at = await this.at();
    if (!at) return [];
    const inside = at.uri && !this.showsAll;
    const { limit } = this;
    const argument = inside ? { uri: at.uri, onlyFile: true, limit } : { limit };
    const answer = await Services.execute(at.connection, 'hone.runs', argument);
    const nodes = answer.runs.map((run) => ({ kind: 'run', run, connection: at.connection }));
    return answer.more ? [...nodes, { kind: 'more', label: 'Earlier runs…' }] : nodes;
  }

  async traces({ run, connection }) {
    const listed = await connection.request('listTraces', { runId: run.runId, maxResults: this.limit });
    const nodes = listed.traces.map((trace) => ({ kind: 'trace', trace, connection }));
    return listed.nextPageToken ? [...nodes, { kind: 'more', label: 'Earlier traces…' }] : nodes;
  }

  getTreeItem(node) {
    if (node.kind === 'more') {
      const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.None);
      item.command = { command: 'hone.moreRuns', title: node.label };
      return item;
    }
    return node.kind === 'run' ? this.runItem(node) : this.traceItem(node);
  }

  runItem(node) {
    const { run } = node;
    const item = new vscode.TreeItem(text.line(run.name || run.runId), vscode.TreeItemCollapsibleState.Collapsed);
    item.id = run.runId;
    item.description = `${text.score(run.score)}  ${text.line(run.status || '')}`;
    item.tooltip = text.clean(`${run.name}\n${run.kind || ''}\n${text.when(run)}\nrun ${run.runId}`);
    item.iconPath = new vscode.ThemeIcon(icons[run.status] || 'circle-outline');
    item.contextValue = run.status === 'RUNNING' ? 'run running' : 'run';
    item.command = { command: 'hone.openRun', title: 'Open Run', arguments: [node] };
    return item;
  }

  traceItem(node) {
    const { trace } = node;
    const label = text.line(trace.requestPreview || trace.name);
    const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.None);
    item.id = trace.traceId;
    item.description = (trace.assessments || []).map((one) => text.line(text.value(one.value))).join(' ');
    item.tooltip = text.clean(trace.responsePreview || '');
    item.iconPath = new vscode.ThemeIcon(trace.status === 'OK' ? 'pass' : 'error');
    item.contextValue = 'trace';
    item.command = { command: 'hone.openTrace', title: 'Open Trace', arguments: [node] };
    return item;
  }
}

module.exports = { Runs };
