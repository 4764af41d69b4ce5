// One experiment: its runs as a tree, or its traces.

import { h, replace } from '../dom.js';
import { plural } from '../format.js';
import { areColumnsChosen, chooseColumns, chosenColumns, otherMetrics } from '../parts/columns.js';
import { asFilter, filterLine } from '../parts/filter.js';
import { NEEDS, RunTable } from '../parts/run-table.js';
import { traceList } from '../parts/trace-list.js';
import { isLive } from '../model/run.js';
import { address, locate } from '../router.js';
import { call, pages } from '../rpc.js';
import { inline } from '../text.js';
import { ask, button, empty, loading, problem, segments, tabs, toast } from '../ui.js';
import { experimentOf } from './experiments.js';

const PAGE = 100;

/** The runs of an experiment and everything that can be done with many of them. */
class Runs {
  constructor(place, experiment) {
    this.place = place;
    this.experiment = experiment;
    this.text = place.query.get('filter') ?? '';
    this.view = place.query.get('view') ?? 'ACTIVE_ONLY';
    const [key, direction] = (place.query.get('sort') ?? '').split(' ');
    this.sort = key ? { key, isDescending: direction !== 'asc' } : {};
    this.wanted = PAGE;
    this.columns = chosenColumns();
    this.table = new RunTable({
      label: `Runs of ${experiment.name}`,
      onExpand: (run) => this.childrenOf(run),
      onSelect: () => this.drawActions(),
      onSort: (column) => this.sortBy(column),
    });
    this.status = h('p.faint.count', { role: 'status' });
    this.actions = h('div.actions');
    this.body = h('div', loading());
    this.more = button('Show more runs', () => { this.wanted += PAGE; this.refresh(); }, { kind: 'more' });
  }

  get signal() { return this.place.signal; }

  get select() { return [...new Set([...NEEDS, ...this.columns.flatMap((column) => column.needs), 'params.*_predictor_*'])]; }

  build(panel) {
    const filter = filterLine({
      kind: 'runs', value: this.text, label: 'Search or filter the runs',
      keys: () => this.keys(), onApply: (text) => this.apply(text),
    });
    replace(panel,
      h('div.toolbar', filter, segments('Which runs', [['ACTIVE_ONLY', 'Active'], ['DELETED_ONLY', 'Deleted']], this.view, (view) => {
        this.view = view;
        this.place.set({ view: view === 'ACTIVE_ONLY' ? '' : view });
        this.table.selected.clear();
        this.refresh();
      }), button('Columns', async () => {
        if (await chooseColumns(await this.keys())) { this.columns = chosenColumns(otherMetrics(await this.keys())); this.table.children.clear(); await this.reopen(); await this.refresh(); }
      }, { iconName: 'columns' })),
      this.actions, this.body);
  }

  async keys() {
    this.known ??= await call('listRunKeys', { experimentId: this.experiment.experimentId }, { signal: this.signal });
    return this.known;
  }

  async apply(text) {
    this.text = text;
    this.place.set({ filter: text });
    this.wanted = PAGE;
    return this.refresh();
  }

  sortBy(column) {
    if (this.sort.key !== column.key) this.sort = { key: column.key, order: column.order, isDescending: true };
    else if (this.sort.isDescending) this.sort = { ...this.sort, isDescending: false };
    else this.sort = {};
    this.place.set({ sort: this.sort.key ? `${this.sort.key} ${this.sort.isDescending ? 'desc' : 'asc'}` : '' });
    this.refresh();
  }

  async childrenOf(run) {
    const found = [];
    await pages('listRuns', {
      parentRunId: run.runId, orderBy: ['start_time ASC'], select: this.select, maxResults: 500, view: run.lifecycleStage === 'deleted' ? 'ALL' : 'ACTIVE_ONLY',
    }, (page) => { found.push(...page.runs); }, { signal: this.signal });
    return found;
  }

  async reopen() {
    for (const id of this.table.open) this.table.children.set(id, await this.childrenOf({ runId: id }));
  }

  async find() {
    const filter = asFilter(this.text, 'runs');
    const column = this.columns.find((candidate) => candidate.key === this.sort.key);
    const orderBy = column?.order ? [`${column.order} ${this.sort.isDescending ? 'DESC' : 'ASC'}`] : [];
    const params = {
      experimentId: this.experiment.experimentId, select: this.select, view: this.view, orderBy, maxResults: Math.min(this.wanted, 1000),
      filter: filter || (this.view === 'ACTIVE_ONLY' ? 'parent_run_id IS NULL' : ''),
    };
    const runs = [];
    let isMore = false;
    await pages('listRuns', params, (page) => {
      runs.push(...page.runs);
      isMore = Boolean(page.nextPageToken);
      return runs.length >= this.wanted;
    }, { signal: this.signal });
    return { runs, isMore, isTree: !filter && this.view === 'ACTIVE_ONLY' };
  }

  /** Groups runs that were found under their parents, which come along for context. */
  async grouped(runs) {
    const found = new Map(runs.map((run) => [run.runId, run]));
    const context = new Set();
    const roots = [];
    const children = new Map();
    for (const run of runs) {
      if (!run.parentRunId) { roots.push(run); continue; }
      if (!found.has(run.parentRunId)) {
        try {
          const { run: parent, children: count } = await call('getRun', { runId: run.parentRunId }, { signal: this.signal });
          found.set(parent.runId, { ...parent, children: count });
          context.add(parent.runId);
          roots.push(found.get(parent.runId));
        } catch (error) {
          if (error.kind !== 'notFound') throw error;
          roots.push(run);
          continue;
        }
      }
      if (!children.has(run.parentRunId)) children.set(run.parentRunId, []);
      children.get(run.parentRunId).push(run);
    }
    return { roots, children, context };
  }

  /** Gives the error where the filter is wrong. */
  async refresh(isPoll = false) {
    let found;
    try {
      found = await this.find();
    } catch (error) {
      if (error.name === 'AbortError') return undefined;
      if (error.kind === 'invalidParams') return error;
      if (!isPoll) replace(this.body, problem(error, () => this.refresh()));
      return undefined;
    }
    if (isPoll) {
      for (const run of this.table.openLive) this.table.children.set(run.runId, await this.childrenOf(run));
    }
    const text = JSON.stringify([found, [...this.table.children]]);
    if (isPoll && text === this.shown) return undefined;
    this.shown = text;
    await this.show(found);
    return undefined;
  }

  async show({ runs, isMore, isTree }) {
    let roots = runs;
    let context = new Set();
    if (isTree) {
      if (!this.wasShown && runs[0]?.children && !this.table.open.size) {
        this.table.open.add(runs[0].runId);
        this.table.children.set(runs[0].runId, await this.childrenOf(runs[0]));
      }
      if (this.wasFiltered) { this.table.open.clear(); this.table.children.clear(); }
    } else {
      const groups = await this.grouped(runs);
      ({ roots, context } = groups);
      this.table.open.clear();
      this.table.children.clear();
      for (const [id, children] of groups.children) {
        this.table.open.add(id);
        this.table.children.set(id, children);
      }
    }
    this.wasFiltered = !isTree;
    this.wasShown = true;
    if (!runs.length) {
      replace(this.body, this.emptyState());
      return;
    }
    this.table.draw({ roots, columns: this.columns, sort: this.sort, context, isOnlyFilled: !areColumnsChosen() });
    this.drawActions();
    this.status.textContent = isMore ? `The first ${plural(runs.length, 'run')}` : plural(runs.length, isTree ? 'run' : 'matching run');
    replace(this.body, this.table.element, h('div.below', this.status, isMore ? this.more : null));
  }

  emptyState() {
    if (this.text) return empty('No run matches', h('p', 'The filter language is MLflow\'s: ', h('code', 'metrics.score > 50 AND tags.hone.kind = \'compile\''), '. A single word searches names.'));
    if (this.view !== 'ACTIVE_ONLY') return empty('No deleted runs', h('p', 'Deleted runs stay here and can be restored.'));
    return empty('No runs yet', h('p', 'Add ', h('code', `--experiment "${this.experiment.name}"`), ' to ', h('code', 'hone compile'), ' or ', h('code', 'hone evaluate'), ', and the run appears here while it works.'));
  }

  drawActions() {
    const runs = [...this.table.selected.values()];
    if (!runs.length) { replace(this.actions); return; }
    const ids = runs.map((run) => run.runId);
    replace(this.actions, h('div.selection', h('strong', `${plural(runs.length, 'run')} selected`),
      button('Compare', () => { location.hash = address(['compare'], { runs: ids.join(',') }); }, { iconName: 'compare', disabled: runs.length < 2, title: runs.length < 2 ? 'Select two or more' : undefined }),
      button('Add a tag', () => this.tag(ids), { iconName: 'plus' }),
      this.view === 'ACTIVE_ONLY'
        ? button('Delete', () => this.remove(ids), { iconName: 'trash', kind: 'danger' })
        : button('Restore', () => this.restore(ids), { iconName: 'restore' }),
      button('Clear', () => { this.table.selected.clear(); this.table.changed(); }, { kind: 'quiet' })));
  }

  async each(ids, work, words) {
    try {
      for (const id of ids) await work(id);
    } catch (error) {
      toast(error.message);
      return false;
    }
    this.table.selected.clear();
    this.drawActions();
    await this.reopen();
    await this.refresh();
    if (words) toast(words.text, words.undo);
    return true;
  }

  remove(ids) {
    return this.each(ids, (runId) => call('deleteRun', { runId }), { text: `${plural(ids.length, 'run')} deleted`, undo: () => this.restore(ids) });
  }

  restore(ids) {
    return this.each(ids, (runId) => call('deleteRun', { runId, restore: true }), { text: `${plural(ids.length, 'run')} restored` });
  }

  async tag(ids) {
    const text = await ask('Add a tag', { label: 'Name, or name: value', action: 'Add', help: 'Added to every selected run.' });
    if (!text?.trim()) return;
    const [name, value = ''] = text.split(/:(.*)/s).map((part) => part.trim());
    await this.each(ids, (runId) => call('updateRun', { runId, tags: { [name]: value } }), { text: `Tagged ${plural(ids.length, 'run')}` });
    this.known = undefined;
  }
}

/** Where the addresses lead that MLflow's client prints into terminals; undefined for the page's own. */
function elsewhere(place) {
  const trace = place.query.get('selectedEvaluationId') ?? place.query.get('selectedTraceId');
  if (trace) return address(['traces', trace]);
  return place.parts[2] === 'runs' && place.parts[3] ? address(['runs', place.parts[3]]) : undefined;
}

export async function showExperiment(place) {
  const id = place.parts[1] ?? '0';
  const other = elsewhere(place);
  if (other) {
    location.replace(other);
    return;
  }
  const experiment = await experimentOf(id, place.signal);
  locate(experiment.name, [['Experiments', '#/'], [experiment.name]]);
  const runs = new Runs(place, experiment);
  const bar = tabs('Parts of the experiment', [
    ['runs', 'Runs', async (panel) => {
      runs.build(panel);
      if (!areColumnsChosen()) runs.columns = chosenColumns(otherMetrics(await runs.keys()));
      await runs.refresh();
    }],
    ['traces', 'Traces', (panel) => traceList(panel, place, { experiment: experiment.name })],
  ], place.parts[2], (key) => {
    place.parts = key === 'runs' ? ['experiments', id] : ['experiments', id, key];
    place.set({});
  });
  replace(place.main, h('div.view', h('div.head', h('h1', inline(experiment.name))), bar));
  place.every(() => (runs.table.roots.some(isLive) ? 1500 : 4000), async () => {
    if (place.parts[2] !== 'traces' && runs.wasShown) await runs.refresh(true);
  });
}
