// Programs' states as DSPy's save() writes them, and what differs between two.

import { artifactJSON } from '../rpc.js';

/** `[{name, instructions, fields, demos}]` of a state; undefined where it is none. */
function predictorsOf(state) {
  if (!state || typeof state !== 'object') return undefined;
  const found = [];
  const visit = (value, name) => {
    if (!value || typeof value !== 'object' || Array.isArray(value)) return;
    if (value.signature && typeof value.signature === 'object') {
      const { instructions = '', fields = [] } = value.signature;
      found.push({ name: name || 'self', instructions, fields: Array.isArray(fields) ? fields : [], demos: Array.isArray(value.demos) ? value.demos : [] });
      return;
    }
    for (const [key, member] of Object.entries(value)) {
      if (key !== 'metadata') visit(member, name ? `${name}.${key}` : key);
    }
  };
  visit(state, '');
  return found.length ? found : undefined;
}

/** A program from a run's parameters `Class.predictor.signature.instructions`, where no file has it. */
function fromParams(params) {
  const found = new Map();
  const of = (name) => {
    if (!found.has(name)) found.set(name, { name, instructions: '', fields: [], demos: [] });
    return found.get(name);
  };
  for (const [key, value] of Object.entries(params)) {
    const instructions = /^(.+)\.signature\.instructions$/.exec(key);
    if (instructions) of(instructions[1]).instructions = value;
    const demo = /^(.+)\.demos\.(\d+)\.(.+)$/.exec(key);
    if (demo) (of(demo[1]).demos[Number(demo[2])] ??= {})[demo[3]] = value;
  }
  return found.size ? [...found.values()] : undefined;
}

/** The program that a run evaluated (`model.json`), found best, or began with (`initial`). */
export async function programOf(run, which, signal) {
  const files = { best: ['best_model.json', 'model.json'], initial: ['initial_model.json'], own: ['model.json', 'best_model.json'] };
  for (const path of files[which]) {
    const found = predictorsOf(await artifactJSON(run.runId, path, { signal }));
    if (found) return found;
  }
  return which === 'initial' ? undefined : fromParams(run.params);
}

/** A demo's fields without what only marks it. */
export function demoFields(demo) {
  if (!demo || typeof demo !== 'object') return [['value', demo]];
  return Object.entries(demo).filter(([key]) => key !== 'augmented');
}

export function isBootstrapped(demo) {
  return demo?.augmented === true || demo?.augmented === 'True';
}
