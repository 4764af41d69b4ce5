// Foreign text (of models, data, people) made safe to look at.

import { h } from './dom.js';

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text with characters that would hide or turn others round written out. Line breaks and tabs stay. */
export function visible(text) {
  return String(text).replace(/\r\n/g, '\n').replace(HIDDEN, (c) => {
    const code = c.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`;
  });
}

/** A run of foreign text within a line; its direction is its own and spills over nothing. */
export function inline(text, limit = 0) {
  let shown = visible(text);
  if (limit && shown.length > limit) shown = `${shown.slice(0, limit)}…`;
  return h('bdi', shown);
}

const LONG = 20_000;

/** A block of foreign text as it was written; very long ones are cut until asked for. */
export function block(text, className = '') {
  const shown = visible(text);
  const pre = h('pre', { class: `foreign ${className}`, dir: 'auto' });
  if (shown.length <= LONG) {
    pre.textContent = shown;
    return pre;
  }
  pre.textContent = `${shown.slice(0, LONG)}…`;
  const more = h('button.link', {
    onClick: () => { pre.textContent = shown; more.remove(); },
  }, `Show all ${shown.length.toLocaleString('en')} characters`);
  return h('div', pre, more);
}

/** A JSON value as text: strings as they are, the rest as JSON. */
export function plain(value) {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  return JSON.stringify(value, null, typeof value === 'object' ? 1 : 0).replace(/\n\s*/g, ' ');
}
