'use strict';

// Hone in Visual Studio Code, step by step, with a stand-in for the editor.

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { makeEditor } = require('./vscode/editor.js');

const settings = { path: process.env.HONE, attach: process.env.ATTACH === 'yes' };
const editor = makeEditor(settings);
const { vscode, seen, providers, diagnostics } = editor;
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));
const extension = require(path.join(process.env.CLIENT, 'extension.js'));
const manifest = require(path.join(process.env.CLIENT, 'package.json'));

const facts = {};

async function waitFor(what, condition) {
  const end = Date.now() + 30000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

const open = async (name) => {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path.resolve(name)));
  await vscode.window.showTextDocument(document);
  return document;
};
const run = (name, ...given) => vscode.commands.executeCommand(name, ...given);
const problems = (document) => (diagnostics.get(document.uri.toString()) || [])
  .map((one) => ({ line: one.range.start.line, message: one.message }));
const active = () => vscode.window.activeTextEditor.document;
const lines = () => active().getText().split('\n');
const labels = (nodes) => nodes.map((node) => {
  const item = providers.tree.getTreeItem(node);
  return `${item.label} ${item.description}`;
});
const said = (pattern) => [...seen.messages].reverse().find((one) => pattern.test(one)) || '';

async function steps() {
  const context = { subscriptions: [] };
  extension.activate(context);
  const declared = manifest.contributes.commands.map((one) => one.command);
  facts['missing commands'] = declared.filter((name) => !editor.commands.has(name));

  const words = await open('words.hone.json');
  await waitFor('a problem', () => problems(words).length);
  facts.problems = problems(words);
  // What is offered for it puts it right, as one types on.
  const place = words.positionOf('numric');
  const [action] = await providers.actions.provideCodeActions(
    words, new vscode.Range(place.line, place.character, place.line, place.character));
  await vscode.workspace.applyEdit(action.edit);
  await waitFor('no problem', () => problems(words).length === 0);
  facts.corrected = lines();
  editor.save(words);
  const items = await providers.completion.provideCompletionItems(words, words.positionOf('numeric_match'));
  facts.completion = items.map((item) => item.label);

  await run('hone.evaluateFile');
  await run('hone.compileFile');
  facts.progress = seen.progress[1].map((one) => `${one.increment} ${one.message}`);
  facts.increments = seen.progress[1].reduce((sum, one) => sum + one.increment, 0);
  facts.running = 'withProgress';
  facts.outcome = said(/, was /);

  const hover = await providers.hover.provideHover(words, words.positionOf('program'));
  facts.hover = hover.contents.text;
  const lenses = await providers.lenses.provideCodeLenses(words);
  facts.hover += `\n${lenses.map((lens) => lens.command.title).join('\n')}`;

  await open('slow.hone.json');
  const slow = run('hone.compileFile');
  await waitFor('progress', () => (seen.progress[2] || []).length > 1);
  editor.cancel();
  await slow;
  await waitFor('the end of it', () => said(/cancelled/));
  facts.cancelled = said(/cancelled/);
  facts.left = 0;

  // What it would cost; then one that goes on by itself, is followed, left, and ended from the list of runs.
  await run('hone.estimateFile');
  facts.estimate = lines();
  await open('slow.hone.json');
  await run('hone.compileDetached');
  facts.detached = said(/in the background/);
  const watching = run('hone.watchRun');
  await waitFor('its progress', () => (seen.progress[3] || []).length);
  editor.cancel();
  await watching;
  facts.watched = said(/no longer watched/);
  const [under] = await providers.tree.getChildren();
  facts.under_way = labels([under]);
  await run('hone.cancelRun', under);
  facts.stopped = said(/was cancelled/);
  facts.after_stop = labels(await providers.tree.getChildren());

  const faulty = await open('faulty.hone.json');
  await waitFor('problems', () => problems(faulty).length > 1);
  facts.faults = problems(faulty);

  await open('broken.hone.json');
  await run('hone.compileFile');
  [facts.error] = seen.errors;

  await open('words.hone.json');
  const roots = await providers.tree.getChildren();
  facts.runs = labels(roots);
  const compiled = roots.find((node) => node.run.children.length);
  const children = await providers.tree.getChildren(compiled);
  facts.unfolded = [...labels(roots), ...labels(children)];
  await run('hone.openRun', compiled);
  facts.run = lines();
  const [trace] = await providers.tree.getChildren(children[0]);
  await run('hone.openTrace', trace);
  facts.trace = lines();
  facts.open = lines().length;
  const folds = providers.folding.provideFoldingRanges(active());
  const [outer] = folds;
  facts.folded = lines().length - (outer.end - outer.start);

  await open('hostile.hone.json');
  await run('hone.evaluateFile');
  await run('hone.showLastTrace');
  facts.hostile = lines();

  await open('words.hone.json');
  const before = words.getText();
  await run('hone.loadBestProgram');
  facts.loaded = words.getText();
  facts.told = said(/loaded/);
  await vscode.workspace.applyEdit({
    edits: [{ uri: words.uri, range: new vscode.Range(0, 0, 1e6, 0), text: before }],
  });
  facts.undone = lines();
  await run('hone.diffPrograms');
  facts['left-text'] = seen.diffs[0].left;
  facts['right-text'] = seen.diffs[0].right;
  facts.differences = 1;

  // A key goes where it was allowed to, once asked.
  await open('keys.hone.json');
  facts.keys = [];
  for (const choice of ["Don't allow", 'Allow']) {
    seen.errors = [];
    seen.choice = choice;
    await run('hone.evaluateFile');
    facts.keys.push(seen.errors[0]);
  }
  facts.questions = seen.questions;
  await run('hone.forgetAllowedKeys');
  facts.forgotten = said(/no longer send/);

  // A service that dies is started again by the next command.
  await open('words.hone.json');
  const [node] = await providers.tree.getChildren();
  node.connection.process.kill('SIGKILL');
  await waitFor('its end', () => !node.connection.isOpen);
  seen.messages = [];
  await run('hone.evaluateFile');
  facts.revived = said(/words\.hone\.json: [\d.]+ on/);
  seen.errors = [];
  settings.path = '/nowhere/hone';
  await open('elsewhere/words.hone.json');
  await waitFor('a message', () => seen.errors.length);
  [facts.missing] = seen.errors;

  await extension.deactivate();
  for (const one of context.subscriptions) one.dispose();
}

steps().catch((failure) => { facts.failure = String(failure.stack); }).finally(() => {
  facts.messages = [...seen.messages, ...seen.errors];
  fs.writeFileSync(process.env.FACTS, JSON.stringify(facts));
  process.exit();
});
