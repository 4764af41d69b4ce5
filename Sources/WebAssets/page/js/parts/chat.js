// Messages as a conversation.

import { append, h } from '../dom.js';
import { plural } from '../format.js';
import { visible } from '../text.js';
import { copyButton } from '../ui.js';

const ROLES = { system: 'System', user: 'User', assistant: 'Model', tool: 'Tool', developer: 'Developer' };
const MARK = /^(\[\[ ## .+? ## \]\])[ \t]*$/m;
const LONG = 12_000;

/** A message's text with the headers of its sections set apart. */
function sections(text) {
  const shown = visible(text);
  const cut = shown.length > LONG ? `${shown.slice(0, LONG)}…` : shown;
  const body = h('div.message-text', { dir: 'auto' });
  const fill = (words) => {
    body.replaceChildren();
    for (const part of words.split(MARK)) {
      if (MARK.test(part)) append(body, h('span.section-mark', part));
      else if (part) append(body, part);
    }
  };
  fill(cut);
  if (cut === shown) return body;
  const more = h('button.link', { onClick: () => { fill(shown); more.remove(); } }, `Show all ${shown.length.toLocaleString('en')} characters`);
  return [body, more];
}

function bubble({ role, text }, isAnswer) {
  return h('li', { class: `message ${ROLES[role] ? role : 'other'} ${isAnswer ? 'answer' : ''}` },
    h('div.message-head', h('strong', ROLES[role] ?? visible(role)), h('span.spacer'), copyButton(text)), sections(text));
}

/** The conversation of a model call; the demos in its middle are folded. */
export function chat(inputs, outputs) {
  const list = h('ol.chat');
  const start = inputs.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const folded = start < 0 ? [] : inputs.slice(start, -1);
  if (folded.length >= 4) {
    append(list, inputs.slice(0, start).map((one) => bubble(one)),
      h('li.fold', h('details', h('summary', `${plural(folded.length, 'message')} in between: demos and history`), h('ol.chat', folded.map((one) => bubble(one))))),
      bubble(inputs[inputs.length - 1]));
  } else {
    append(list, inputs.map((one) => bubble(one)));
  }
  append(list, (outputs ?? []).map((one) => bubble(one, true)));
  return list;
}
