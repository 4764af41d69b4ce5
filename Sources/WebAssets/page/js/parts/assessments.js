// What was said of a trace, by metrics, judges and people; and a form to say more.

import { h, replace } from '../dom.js';
import { ago, dateTime } from '../format.js';
import { call } from '../rpc.js';
import { inline, visible } from '../text.js';
import { pill, toast } from '../ui.js';

const SOURCES = { CODE: 'metric', HUMAN: 'person', LLM_JUDGE: 'judge' };

function value(one) {
  if (one.error) return pill('failed', 'bad');
  if (one.value === true || one.value === 1) return pill(one.value === true ? 'true' : '1', 'good');
  if (one.value === false || one.value === 0) return pill(one.value === false ? 'false' : '0', 'bad');
  return h('strong', inline(typeof one.value === 'string' ? one.value : JSON.stringify(one.value), 200));
}

function item(one) {
  return h('li', { class: one.valid ? '' : 'gone' }, h('div.name-line', h('strong', inline(one.name, 80)), value(one), h('small.faint', SOURCES[one.sourceType] ?? visible(one.sourceType), one.sourceId ? [' ', inline(one.sourceId, 40)] : null, one.type === 'expectation' ? ', expected' : ''), h('small.faint', { title: dateTime(one.createTime) }, ago(one.createTime))),
    one.rationale ? h('p', { dir: 'auto' }, visible(one.rationale)) : null, one.error ? h('p.bad-text', visible(one.error)) : null);
}

const VALUES = [['true', 'Right'], ['false', 'Wrong'], ['number', 'A number'], ['text', 'Text']];

/** The assessments of a trace. */
export function assessmentsView(info) {
  const list = h('ul.assessments');
  const title = h('h2');
  const draw = () => {
    title.textContent = `Assessments (${info.assessments.length})`;
    replace(list, info.assessments.length ? info.assessments.map(item) : h('li.faint', 'No assessments yet.'));
  };
  draw();
  const names = [...new Set([...info.assessments.map((one) => one.name), 'correct', 'helpful'])];
  const name = h('input', { type: 'text', id: 'assess-name', required: true, list: 'assess-names', value: '', placeholder: 'correct', autocomplete: 'off' });
  const own = h('input', { type: 'text', id: 'assess-own', hidden: true, 'aria-label': 'The value' });
  const kind = h('select', { id: 'assess-value', onChange: () => { own.hidden = !['number', 'text'].includes(kind.value); if (!own.hidden) own.focus(); } }, VALUES.map(([key, words]) => h('option', { value: key }, words)));
  const why = h('input', { type: 'text', id: 'assess-why', autocomplete: 'off' });
  const form = h('form.assess', {
    onSubmit: async (event) => {
      event.preventDefault();
      const given = kind.value === 'true' || kind.value === 'false' ? kind.value === 'true' : kind.value === 'number' ? Number(own.value) : own.value;
      if (kind.value === 'number' && !Number.isFinite(given) || own.value === '' && !own.hidden) { own.focus(); return; }
      try {
        const { assessment } = await call('logFeedback', { traceId: info.traceId, name: name.value.trim(), value: given, ...(why.value.trim() ? { rationale: why.value.trim() } : {}) });
        info.assessments.push(assessment);
        draw();
        why.value = '';
        own.value = '';
        toast('Assessment added');
      } catch (error) {
        toast(error.message);
      }
    },
  },
  h('div', h('label', { for: 'assess-name' }, 'What'), name, h('datalist', { id: 'assess-names' }, names.map((one) => h('option', { value: one })))),
  h('div', h('label', { for: 'assess-value' }, 'Value'), h('span.name-line', kind, own)),
  h('div.wide', h('label', { for: 'assess-why' }, 'Why'), why), h('button.primary', { type: 'submit' }, 'Add'));
  return h('section.card.assess-card', title, list, form);
}
