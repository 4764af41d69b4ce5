// How differences are drawn: what went is struck through, what came is underlined.

import { h } from '../dom.js';
import { visible } from '../text.js';
import { wordDiff } from '../model/diff.js';

/** Two texts as one, with the differences marked. */
export function textDiff(before, after) {
  return h('div.foreign.diff', { dir: 'auto' }, wordDiff(before, after).map(({ kind, text }) => {
    if (kind === 'same') return visible(text);
    return h(kind === 'gone' ? 'del' : 'ins', visible(text));
  }));
}

/** One side of two texts: `gone` for the first, `new` for the second. */
export function sideDiff(before, after, side) {
  return h('div.foreign.diff', { dir: 'auto' }, wordDiff(before, after)
    .filter(({ kind }) => kind === 'same' || kind === side)
    .map(({ kind, text }) => (kind === 'same' ? visible(text) : h(kind === 'gone' ? 'del' : 'ins', visible(text)))));
}
