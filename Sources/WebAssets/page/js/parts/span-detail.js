// One span: what went in and out, as a conversation, as fields or raw.

import { h, replace } from '../dom.js';
import { count, duration, money } from '../format.js';
import { messagesOf, secondsOf } from '../model/spans.js';
import { remember, remembered } from '../prefs.js';
import { block, inline, plain, visible } from '../text.js';
import { copyButton, pill, segments } from '../ui.js';
import { chat } from './chat.js';

function fields(title, value) {
  if (value === null || value === undefined) return null;
  const isObject = typeof value === 'object' && !Array.isArray(value);
  return h('section', h('div.predictor-head', h('h3', title), copyButton(() => JSON.stringify(value, null, 2), 'Copy')),
    isObject ? h('dl.fields', Object.entries(value).map(([key, member]) => [h('dt', inline(key, 120)), h('dd', block(typeof member === 'object' && member !== null ? JSON.stringify(member, null, 2) : plain(member)))]))
      : block(typeof value === 'string' ? value : JSON.stringify(value, null, 2)));
}

function readable(span) {
  const inputs = messagesOf(span.inputs);
  if (inputs && ['CHAT_MODEL', 'LLM'].includes(span.type)) {
    const outputs = messagesOf(span.outputs, 'assistant');
    return [chat(inputs, outputs), outputs ? null : fields('Outputs', span.outputs)];
  }
  const made = messagesOf(span.outputs);
  return [fields('Inputs', span.inputs), made ? h('section', h('h3', 'Messages'), chat(made)) : fields('Outputs', span.outputs)];
}

function events(span) {
  if (!span.events?.length) return null;
  return h('section', h('h3', 'Events'), span.events.map((event) => h('div.event', h('strong', inline(event.name, 120)), h('span.faint', ` after ${duration((event.timeNs - span.startTimeNs) / 1e9)}`), fields('', event.attributes))));
}

/** The whole span in its panel. */
export function spanDetail(span) {
  const usage = span.attributes?.['mlflow.chat.tokenUsage'];
  const cost = span.attributes?.cost;
  const body = h('div.span-body');
  const draw = (mode) => {
    if (mode === 'raw') {
      replace(body, h('div.predictor-head', h('h3', 'The span as JSON'), copyButton(() => JSON.stringify(span, null, 2), 'Copy')), block(JSON.stringify(span, null, 2)));
    } else if (mode === 'attributes') {
      replace(body, Object.keys(span.attributes ?? {}).length ? fields('Attributes', span.attributes) : h('p.faint', 'No attributes'), events(span));
    } else {
      replace(body, readable(span), events(span));
    }
  };
  const mode = remembered('span', 'readable');
  draw(mode);
  return h('div.span-detail',
    h('div.span-head', h('h2', inline(span.name, 200)), pill(visible(span.type).toLowerCase().replaceAll('_', ' ')), span.status === 'ERROR' ? pill('error', 'bad') : null,
      span.attributes?.cached ? pill('from the store', 'good') : null),
    h('p.faint', [duration(secondsOf(span)), span.attributes?.model ? visible(String(span.attributes.model)) : null, usage ? `${count(usage.input_tokens)} + ${count(usage.output_tokens)} tokens` : null, typeof cost === 'number' && cost > 0 ? money(cost) : null].filter(Boolean).join(' · ')),
    span.statusMessage ? h('div.notice.bad', visible(span.statusMessage)) : null,
    segments('Span view', [['readable', 'Readable'], ['attributes', 'Attributes'], ['raw', 'Raw JSON']], mode, (value) => { remember('span', value); draw(value); }),
    body);
}
