// The line in which runs or traces are searched: words, or MLflow's filter language with completion.

import { append, h, icon, replace } from '../dom.js';
import { visible } from '../text.js';

const OPERATORS = {
  number: ['>', '>=', '<', '<=', '=', '!='],
  text: ['=', '!=', 'LIKE', 'ILIKE', 'NOT LIKE', 'IN', 'IS NULL', 'IS NOT NULL'],
};
const RUN_ATTRIBUTES = ['run_name', 'status', 'start_time', 'end_time', 'duration', 'user_id', 'run_id', 'parent_run_id'];
const TRACE_ATTRIBUTES = [
  'status', 'name', 'execution_time', 'timestamp', 'total_tokens', 'input_tokens', 'output_tokens', 'cost', 'request', 'response', 'trace.text', 'span.name', 'span.type', 'span.status', 'span.content', 'metadata.evaluation', 'metadata.row', 'metadata.phase', 'run_id',
];
const NUMBERS = /^(start_time|end_time|duration|execution_time|timestamp|total_tokens|input_tokens|output_tokens|cost|metadata\.row)$|^metrics\./;
const VALUES = {
  runs: { status: ['RUNNING', 'FINISHED', 'FAILED', 'KILLED'], 'tags.hone.kind': ['compile', 'evaluate'] },
  traces: { status: ['OK', 'ERROR', 'IN_PROGRESS'], 'span.type': ['CHAT_MODEL', 'CHAIN', 'LLM', 'PARSER', 'TOOL', 'EVALUATOR'] },
};

const quoted = (key) => (/^[\w.-]+$/.test(key) ? key : `\`${key.replaceAll('`', '')}\``);
const literal = (text) => `'${text.replaceAll("'", "''")}'`;

/** Whether a text is a filter; else it is words to look for. */
function isFilter(text) {
  return /[=<>]|\b(I?LIKE|RLIKE|IN|IS)\b/i.test(text);
}

/** The filter that a person's text stands for. */
export function asFilter(text, kind) {
  const words = text.trim();
  if (!words || isFilter(words)) return words;
  const pattern = literal(`%${words}%`);
  return kind === 'runs' ? `run_name ILIKE ${pattern}` : `(request ILIKE ${pattern} OR response ILIKE ${pattern})`;
}

/** What may stand at the end of `text`: `{from, items: [[insert, hint]]}`. */
function suggestions(text, kind, fields) {
  const token = /[^\s()]*$/.exec(text)[0];
  const before = text.slice(0, text.length - token.length).trimEnd();
  const match = (items) => items.filter(([word]) => word.toLowerCase().includes(token.toLowerCase()) && word !== token);
  const from = text.length - token.length;
  const comparison = /(?:^|[\s(])((?:metrics|params|tags|feedback|metadata|span)\.`[^`]+`|[\w.-]+)\s*(=|!=|<=?|>=?|(?:NOT\s+)?I?LIKE)\s*$/i.exec(before);
  if (comparison) {
    const values = VALUES[kind][comparison[1]] ?? [];
    return { from, items: match(values.map((value) => [literal(value), 'value'])) };
  }
  const field = /(?:^|[\s(]|AND\s|OR\s)([\w.-]+|\w+\.`[^`]+`)$/i.exec(before);
  const isAfterField = field && fields.includes(field[1]);
  if (isAfterField) {
    const list = NUMBERS.test(field[1]) ? OPERATORS.number : OPERATORS.text;
    return { from, items: match(list.map((word) => [word, 'compare'])) };
  }
  if (/('|\d|NULL|\))$/i.test(before) && before) {
    return { from, items: match([['AND', 'and'], ['OR', 'or']]) };
  }
  return { from, items: match(fields.map((name) => [name, NUMBERS.test(name) ? 'number' : 'text'])) };
}

/**
 * The line. `keys()` gives `{params, metrics, tags}` (a promise of it), `onApply(text)` is called with a new text and
 * may give an error to show.
 */
export function filterLine({ kind, value = '', keys, onApply, label }) {
  const list = h('ul.suggestions', { role: 'listbox', id: `suggest-${kind}`, 'aria-label': 'Completions', hidden: true });
  const message = h('p.filter-error', { role: 'alert', hidden: true });
  const input = h('input', {
    type: 'text', value, role: 'combobox', 'aria-expanded': 'false', 'aria-controls': `suggest-${kind}`, 'aria-autocomplete': 'list',
    'aria-label': label, placeholder: kind === 'runs' ? 'Search, or filter: metrics.score > 50 AND params.optimizer = \'MIPROv2\'' : 'Search, or filter: status = \'ERROR\' AND execution_time > 500',
    'data-search': '', spellcheck: 'false', autocomplete: 'off',
  });
  let fields = kind === 'runs' ? RUN_ATTRIBUTES : TRACE_ATTRIBUTES;
  let items = [];
  let from = 0;
  let chosen = -1;
  let asked = false;

  const learn = async () => {
    if (asked || !keys) return;
    asked = true;
    const found = await keys();
    fields = [
      ...(found.metrics ?? []).map((key) => `metrics.${quoted(key)}`), ...fields,
      ...(found.params ?? []).map((key) => `params.${quoted(key)}`), ...(found.tags ?? []).map((key) => `tags.${quoted(key)}`),
    ];
    if (document.activeElement === input) suggest();
  };
  const close = () => {
    list.hidden = true;
    chosen = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const mark = (index) => {
    chosen = index;
    [...list.children].forEach((item, at) => item.setAttribute('aria-selected', String(at === index)));
    if (index >= 0) {
      input.setAttribute('aria-activedescendant', list.children[index].id);
      list.children[index].scrollIntoView({ block: 'nearest' });
    }
  };
  const take = (index) => {
    input.value = `${input.value.slice(0, from)}${items[index][0]} `;
    input.focus();
    suggest();
  };
  const suggest = () => {
    const at = input.selectionStart ?? input.value.length;
    if (at !== input.value.length) { close(); return; }
    ({ items, from } = suggestions(input.value, kind, fields));
    items = items.slice(0, 60);
    replace(list, items.map(([word, hint], index) => h('li', {
      role: 'option', id: `suggest-${kind}-${index}`, 'aria-selected': 'false',
      onMousedown: (event) => { event.preventDefault(); take(index); },
    }, h('span', visible(word)), h('small', hint))));
    list.hidden = items.length === 0;
    input.setAttribute('aria-expanded', String(items.length > 0));
    chosen = -1;
    input.removeAttribute('aria-activedescendant');
  };
  let applied = value;
  const apply = async () => {
    close();
    if (input.value === applied) return;
    applied = input.value;
    clear.hidden = !input.value;
    const error = await onApply(input.value);
    message.hidden = !error;
    message.textContent = error ? visible(error.message) : '';
    input.toggleAttribute('aria-invalid', Boolean(error));
  };
  const clear = h('button.quiet.clear', {
    'aria-label': 'Clear the search', hidden: !value, onClick: () => { input.value = ''; apply(); input.focus(); },
  }, icon('close'));

  append(input);
  input.addEventListener('focus', learn);
  input.addEventListener('input', () => { learn(); suggest(); });
  input.addEventListener('click', suggest);
  input.addEventListener('blur', () => { close(); apply(); });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (list.hidden) suggest();
      if (items.length) mark((chosen + (event.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length);
      event.preventDefault();
    } else if (event.key === 'Enter') {
      if (!list.hidden && chosen >= 0) take(chosen);
      else apply();
      event.preventDefault();
    } else if (event.key === 'Tab' && !list.hidden && chosen >= 0) {
      take(chosen);
      event.preventDefault();
    } else if (event.key === 'Escape') {
      if (!list.hidden) close();
      else input.blur();
      event.preventDefault();
    }
  });
  const element = h('div.filter', { role: 'search' }, h('div.filter-line', icon('search'), input, clear, list), message);
  element.setText = (text) => { input.value = text; apply(); };
  return element;
}
