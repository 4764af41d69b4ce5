// Two programs side by side: instructions word by word, demos one by one.

import { h, replace } from '../dom.js';
import { plural } from '../format.js';
import { demoFields, isBootstrapped } from '../model/program.js';
import { remember, remembered } from '../prefs.js';
import { block, inline, plain, visible } from '../text.js';
import { copyButton, empty, pill, segments } from '../ui.js';
import { sideDiff, textDiff } from './diff.js';

function demoCard(demo, number, state) {
  return h('li', { class: `demo ${state}` },
    h('div.demo-head', h('strong', `Demo ${number}`), isBootstrapped(demo) ? pill('bootstrapped') : pill('from the data'), state === 'new' ? pill('added', 'good') : state === 'gone' ? pill('removed', 'bad') : null),
    h('dl', demoFields(demo).map(([key, value]) => [h('dt', inline(key, 60)), h('dd', { dir: 'auto' }, visible(plain(value)))])));
}

function demoList(demos, others, state) {
  const known = new Set((others ?? []).map((demo) => JSON.stringify(demoFields(demo))));
  if (!demos.length) return h('p.faint', 'No demos');
  return h('ol.demos', demos.map((demo, index) => demoCard(demo, index + 1, others && !known.has(JSON.stringify(demoFields(demo))) ? state : '')));
}

function sameDemos(a, b) {
  return JSON.stringify(a.map(demoFields)) === JSON.stringify(b.map(demoFields));
}

function predictorDiff(before, after, labels, mode) {
  const name = after?.name ?? before.name;
  const [old, now] = [before?.instructions ?? '', after?.instructions ?? ''];
  const [oldDemos, newDemos] = [before?.demos ?? [], after?.demos ?? []];
  const isSame = old === now;
  const head = h('h2', 'Predictor ', h('code', inline(name, 100)));
  const fields = (after ?? before).fields;
  const fieldLine = fields.length ? h('p.faint.fields', 'Fields: ', fields.map((field, index) => [index ? ', ' : '', inline(String(field.prefix ?? '').replace(/:$/, ''), 60)])) : null;
  const words = isSame
    ? [h('p.faint', 'The instructions are the same.'), block(now, 'instructions')]
    : mode === 'side'
      ? h('div.sides', h('section', h('h4', labels[0]), sideDiff(old, now, 'gone')), h('section', h('h4', labels[1]), sideDiff(old, now, 'new')))
      : textDiff(old, now);
  const demos = sameDemos(oldDemos, newDemos)
    ? [h('h3', plural(newDemos.length, 'demo'), newDemos.length ? h('span.faint', ', the same in both') : null), newDemos.length ? demoList(newDemos) : null]
    : mode === 'side'
      ? h('div.sides', h('section', h('h4', `${labels[0]}: ${plural(oldDemos.length, 'demo')}`), demoList(oldDemos, newDemos, 'gone')), h('section', h('h4', `${labels[1]}: ${plural(newDemos.length, 'demo')}`), demoList(newDemos, oldDemos, 'new')))
      : [h('h3', `${plural(newDemos.length, 'demo')}, ${oldDemos.length} before`), demoList(newDemos, oldDemos, 'new'),
        oldDemos.some((demo) => !newDemos.some((other) => JSON.stringify(demoFields(other)) === JSON.stringify(demoFields(demo))))
          ? [h('h3', 'Removed'), demoList(oldDemos.filter((demo) => !newDemos.some((other) => JSON.stringify(demoFields(other)) === JSON.stringify(demoFields(demo)))), [], 'gone')] : null];
  return h('section.predictor', h('div.predictor-head', head, copyButton(() => now, 'Copy instructions')), fieldLine, h('h3', 'Instructions'), words, demos);
}

/** One program by itself. */
export function programView(predictors) {
  if (!predictors) return empty('No program', h('p', 'This run stored no program.'));
  return h('div', predictors.map((predictor) => h('section.predictor',
    h('div.predictor-head', h('h2', 'Predictor ', h('code', inline(predictor.name, 100))), copyButton(() => predictor.instructions, 'Copy instructions')),
    predictor.fields.length ? h('p.faint.fields', 'Fields: ', predictor.fields.map((field, index) => [index ? ', ' : '', inline(String(field.prefix ?? '').replace(/:$/, ''), 60)])) : null,
    h('h3', 'Instructions'), block(predictor.instructions, 'instructions'), h('h3', plural(predictor.demos.length, 'demo')), demoList(predictor.demos))));
}

/** The difference of two programs, side by side or in one text, as the person likes. */
export function programDiff(before, after, labels) {
  if (!before || !after) return programView(after ?? before);
  const body = h('div');
  const draw = (mode) => {
    const names = [...new Set([...after.map((p) => p.name), ...before.map((p) => p.name)])];
    replace(body, names.map((name) => predictorDiff(before.find((p) => p.name === name), after.find((p) => p.name === name), labels, mode)));
  };
  const mode = remembered('diff', 'side');
  draw(mode);
  return h('div', h('div.toolbar', segments('Diff layout', [['side', 'Side by side'], ['one', 'Inline']], mode, (value) => { remember('diff', value); draw(value); }),
    h('span.faint', h('del', 'only before'), ' ', h('ins', 'only after'))), body);
}
