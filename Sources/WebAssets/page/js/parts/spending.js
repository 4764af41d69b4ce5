// Where a run's executions, tokens and money went: by phase and by role.

import { h, replace } from '../dom.js';
import { count, DASH, duration, money, short } from '../format.js';
import { costOf } from '../model/run.js';
import { call } from '../rpc.js';
import { inline } from '../text.js';
import { segments } from '../ui.js';

const PHASES = {
  adapter: 'Choosing the format', eval_full: 'Scoring on all rows', eval_minibatch: 'Scoring on minibatches', eval: 'Scoring', eval_test: 'Scoring on the testset', run: 'The run itself', bootstrap: 'Gathering demos', propose: 'Writing instructions',
  observe: 'Looking at the data', reflect: 'Learning from failures', describe: 'Describing the program', condense: 'Summarizing the data',
};
const ROLES = { task: 'The program', prompt: 'Writing instructions', teacher: 'Gathering demos', judge: 'Judging', callback: 'The client\'s own code' };

const MEASURES = {
  executions: ['Executions', (phase) => phase.executions, count], tokens: ['Tokens', (phase) => phase.inputTokens + phase.outputTokens, short],
  cost: ['Cost', (phase) => phase.cost, money], time: ['Time', (phase) => phase.seconds, duration],
};

export async function spendingView(panel, { run, place }) {
  const { byPhase, byRole, estimated } = await call('getUsage', { runId: run.runId }, { signal: place.signal });
  if (!byPhase.length && !byRole.length && !estimated) {
    replace(panel, h('p.faint', 'No traced executions and no paid calls yet.'));
    return;
  }
  const bars = h('div.bars');
  const draw = (key) => {
    const [, value, words] = MEASURES[key];
    const most = Math.max(...byPhase.map(value), 1e-12);
    replace(bars, byPhase.map((phase) => {
      const fill = h('span.fill');
      fill.style.width = `${value(phase) / most * 100}%`;
      return h('div.bar-line', h('span.bar-words', PHASES[phase.phase] ?? inline(phase.phase, 40), phase.failed ? h('small.bad-text', ` ${count(phase.failed)} failed`) : null), h('span.bar', { 'aria-hidden': 'true' }, fill), h('span.number', words(value(phase))));
    }));
  };
  const current = panel.querySelector('[aria-pressed=true]')?.textContent;
  const first = Object.keys(MEASURES).find((key) => MEASURES[key][0] === current) ?? 'executions';
  draw(first);
  const measures = Object.entries(MEASURES).filter(([key]) => key !== 'cost' || byPhase.some((phase) => phase.cost > 0)).map(([key, [words]]) => [key, words]);
  replace(panel, byPhase.length ? [segments('Measure', measures, first, draw), bars] : null,
    byRole.length ? h('div.scroll', { role: 'region', 'aria-label': 'Calls made', tabindex: '0' }, h('table.small-table', h('caption', 'Calls made'), h('thead', h('tr', h('th', { scope: 'col' }, 'Role'), h('th', { scope: 'col' }, 'Model'), h('th.number', { scope: 'col' }, 'Calls'), h('th.number', { scope: 'col' }, 'Tokens in'), h('th.number', { scope: 'col' }, 'out'), h('th.number', { scope: 'col' }, 'Cost'))),
      h('tbody', byRole.map((role) => h('tr', h('th', { scope: 'row' }, ROLES[role.role] ?? inline(role.role, 30)), h('td', inline(role.model, 40)), h('td.number', short(role.calls)), role.role === 'callback' ? h('td', { colspan: '3' }) : [h('td.number', short(role.inputTokens)), h('td.number', short(role.outputTokens)), h('td.number', role.cost > 0 || costOf(run) === 0 ? money(role.cost) : DASH)]))))) : null,
    estimated ? h('p.faint', `Part of the bill is an estimate: at most ${count(estimated.tokens)} tokens${estimated.cost > 0 ? ` (${money(estimated.cost)})` : ''} for ${estimated.requests === 1 ? '1 request' : `${count(estimated.requests)} requests`} that nobody counted.`) : null);
}
