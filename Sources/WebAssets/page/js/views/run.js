// One run: what it is, and the tabs that fit its kind.

import { h, icon, replace } from '../dom.js';
import { ago, dateTime, duration } from '../format.js';
import { isLive, kindOf, KIND_WORDS, NOTE, ownTags, secondsOf, statusOf } from '../model/run.js';
import { filesView } from '../parts/files.js';
import { retrieveView } from '../parts/retrieve.js';
import { traceList } from '../parts/trace-list.js';
import { valuesView } from '../parts/values.js';
import { locate } from '../router.js';
import { call } from '../rpc.js';
import { inline, visible } from '../text.js';
import { ask, button, copyButton, fact, iconButton, pill, tabs, toast } from '../ui.js';
import { candidateTabs } from './candidate.js';
import { experimentOf } from './experiments.js';
import { plainTabs } from './plain.js';
import { searchTabs } from './search.js';

/** The run with the number of its children, the course of its metrics, its search's trials and where its store is. */
async function load(id, signal) {
  const { run, history = {}, trials = [], children, home } = await call('getRun', { runId: id, history: true, trials: true }, { signal });
  return { ...run, children, history, trials, home };
}

/** The head of a run's page, with everything that a person can change. */
/** What a run waits for, while it does. */
function waiting(run) {
  const [, until, words] = /^(\d+) ([^]*)$/.exec(run.tags['hone.waiting'] ?? '') ?? [];
  return isLive(run) && Number(until) > Date.now() ? h('div.notice', visible(words)) : null;
}

class Head {
  constructor(place, run) {
    this.place = place;
    this.run = run;
    this.element = h('div.run-head');
    this.draw();
  }

  async change(changes, words) {
    try {
      const { run } = await call('updateRun', { runId: this.run.runId, ...changes });
      this.run = { ...this.run, ...run };
      this.draw();
      if (words) toast(words);
    } catch (error) {
      toast(error.message);
    }
  }

  async rename() {
    const name = await ask('Rename the run', { label: 'Name', value: this.run.name });
    if (name?.trim()) await this.change({ name: name.trim() });
  }

  async note() {
    const note = await ask('Note', { label: 'A note about this run', value: this.run.tags[NOTE] ?? '', long: true });
    if (note !== undefined) await this.change({ note: note.trim() });
  }

  async tag() {
    const text = await ask('Add a tag', { label: 'Name, or name: value', action: 'Add' });
    if (!text?.trim()) return;
    const [name, value = ''] = text.split(/:(.*)/s).map((part) => part.trim());
    await this.change({ tags: { [name]: value } });
  }

  async setDeleted(isDeleted) {
    try {
      await call('deleteRun', { runId: this.run.runId, ...(isDeleted ? {} : { restore: true }) });
      this.run = { ...this.run, lifecycleStage: isDeleted ? 'deleted' : undefined };
      this.draw();
      toast(isDeleted ? 'Run deleted' : 'Run restored', isDeleted ? () => this.setDeleted(false) : undefined);
    } catch (error) {
      toast(error.message);
    }
  }

  draw() {
    const { run } = this;
    const [words, tone] = statusOf(run);
    const isDeleted = run.lifecycleStage === 'deleted';
    const note = run.tags[NOTE];
    replace(this.element,
      h('div.head', h('h1', inline(run.name, 200)), pill(words, tone), isDeleted ? pill('Deleted', 'bad') : null,
        run.tags['hone.simulated'] === 'true' ? pill('simulated model', 'warn') : null,
        h('span.spacer'),
        h('div.head-actions', isDeleted ? null : iconButton('Rename', 'pencil', () => this.rename()), isDeleted ? null : iconButton('Note', 'note', () => this.note()),
          isDeleted ? button('Restore', () => this.setDeleted(false), { iconName: 'restore' }) : iconButton('Delete', 'trash', () => this.setDeleted(true)))),
      h('dl.facts', fact('Kind', KIND_WORDS[kindOf(run)]), fact('Started', h('time', { datetime: run.startTime, title: dateTime(run.startTime) }, ago(run.startTime))),
        fact('Took', duration(secondsOf(run))), run.user ? fact('By', inline(run.user, 40)) : null,
        fact('Run', h('code.id', run.runId), copyButton(run.runId, 'Copy id')),
        fact('Tags', ownTags(run).map(([key, value]) => h('span.tag', inline(value ? `${key}: ${value}` : key, 60),
          isDeleted ? null : h('button.quiet.tiny', { 'aria-label': visible(`Remove the tag ${key}`), onClick: () => this.change({ removeTags: [key] }) }, icon('close')))),
        isDeleted ? null : button('Add', () => this.tag(), { kind: 'small', iconName: 'plus' }))),
      note ? h('p.note', { dir: 'auto' }, visible(note)) : null,
      waiting(run),
      run.tags['hone.error'] && run.tags['hone.status'] !== 'CANCELLED' ? h('div.notice.bad', h('strong', `${words}: `), visible(run.tags['hone.error']), run.tags['hone.remedy'] ? h('span', visible(run.tags['hone.remedy'])) : null) : null,
      run.tags['hone.warnings'] ? h('div.notice', h('ul.warnings', run.tags['hone.warnings'].split('\n').map((one) => h('li', { dir: 'auto' }, visible(one))))) : null,
      run.resumeCommand && !isLive(run) ? h('div.notice', h('span', 'All paid answers are kept. Resume where it stopped:'),
        h('code', visible(run.resumeCommand)), copyButton(run.resumeCommand)) : null);
  }

  /** Takes over a later state of the run. */
  update(run) {
    const seen = (one) => JSON.stringify([one.status, one.name, one.tags, one.lifecycleStage]);
    const isSame = seen(run) === seen(this.run);
    this.run = run;
    const isUsed = this.element.contains(document.activeElement) && document.activeElement.closest('a, button');
    if ((!isSame || isLive(run)) && !isUsed) this.draw();
  }
}

export async function showRun(place) {
  const id = place.parts[1] ?? '';
  let run = await load(id, place.signal);
  const experiment = await experimentOf(run.experimentId, place.signal);
  const crumbs = [['Experiments', '#/'], [experiment.name, `#/experiments/${run.experimentId}`]];
  let parent;
  if (run.parentRunId) {
    try {
      ({ run: parent } = await call('getRun', { runId: run.parentRunId }, { signal: place.signal }));
      crumbs.push([parent.name, `#/runs/${parent.runId}`]);
    } catch (error) {
      if (error.kind !== 'notFound') throw error;
    }
  }
  crumbs.push([run.name]);
  locate(run.name, crumbs);

  const head = new Head(place, run);
  const hears = [];
  const context = { place, parent, get run() { return run; }, onChange: (listener) => hears.push(listener) };
  const kind = kindOf(run);
  const own = kind === 'compile' ? searchTabs(context) : kind === 'run' ? await plainTabs(context) : candidateTabs(context);
  const bar = tabs('Parts of the run', [
    ...own.tabs,
    ...kind === 'run' ? [] : [['values', 'Parameters', (panel) => valuesView(panel, context)]],
    ['traces', 'Traces', (panel) => traceList(panel, place, { runId: id })],
    ['files', 'Files', (panel) => filesView(panel, context)],
    ...own.hasProgram === false ? [] : [['retrieve', 'Use it', (panel) => retrieveView(panel, context)]],
  ], place.parts[2], (key) => {
    place.parts = ['runs', id, key];
    place.set({});
  });
  replace(place.main, h('div.view', head.element, own.summary ?? null, bar));
  place.every(() => (isLive(run) ? 1500 : 10_000), async () => {
    const wasLive = isLive(run);
    run = await load(id, place.signal);
    head.update(run);
    if (wasLive || isLive(run)) for (const listener of hears) await listener();
  });
}
