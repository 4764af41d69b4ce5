// How to get a run's program back: the exact call, command and lines.

import { h, replace } from '../dom.js';
import { kindOf } from '../model/run.js';
import { programOf } from '../model/program.js';
import { artifactJSON, call } from '../rpc.js';
import { copyButton, empty, loading } from '../ui.js';

function snippet(title, text, note) {
  return h('section.card', h('div.card-head', h('h2', title), h('span.spacer'), copyButton(text)), note ? h('p.faint', note) : null, h('pre.code', { tabindex: '0', 'aria-label': title }, text));
}

/** What DSPy makes from a signature alone; others are pipelines, need tools, or are the client's own code. */
const BUILT_IN = new Set(['Predict', 'ChainOfThought']);

/** A word of a shell's line. */
function quoted(text) {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The program's input fields as placeholders. */
function inputsOf(predictors, state) {
  const signature = state?.params?.signature ?? '';
  const left = signature.split('->')[0].split(',').map((part) => part.split(':')[0].trim()).filter(Boolean);
  if (left.length) return left;
  const fields = predictors?.[0]?.fields ?? [];
  const first = fields[0]?.prefix ? String(fields[0].prefix).replace(/:$/, '').trim().toLowerCase().replace(/\W+/g, '_') : '';
  return [first || 'question'];
}

export async function retrieveView(panel, context) {
  replace(panel, loading());
  const { run, place } = context;
  const [{ files, artifactUri }, predictors] = await Promise.all([
    call('listArtifacts', { runId: run.runId }, { signal: place.signal }), programOf(run, 'best', place.signal),
  ]);
  const file = ['best_model.json', 'model.json'].find((path) => files.some((one) => one.path === path));
  if (!file) {
    replace(panel, empty('No program yet', h('p', kindOf(run) === 'compile' ? 'The best program is written when the search ends. Until then, each candidate\'s page has its own.' : 'This run stored no program.')));
    return;
  }
  const inputs = inputsOf(predictors, run.params.signature ? run : context.parent);
  const signature = run.params.signature ?? context.parent?.params.signature ?? `${inputs.join(', ')} -> answer`;
  const asked = signature.replace('reasoning, ', '');
  const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'loadProgram', params: { run: run.runId } });
  const home = quoted(run.home ?? '.hone');
  const homeText = JSON.stringify(run.home ?? '.hone');
  const pairs = inputs.map((name) => `${JSON.stringify(name)}: "…"`).join(', ');
  const dspyInputs = inputs.map((name) => `${name}="…"`).join(', ');
  const model = run.tags['hone.lm'] ? 'program["lm"]' : '"openai/gpt-4o-mini"';
  const module = run.params.module ?? context.parent?.params.module ?? 'ChainOfThought';
  const state = await artifactJSON(run.runId, file, { signal: place.signal });
  const isOwn = state?.metadata?.hone?.host !== undefined;
  const own = (kind) => `${/^[A-Za-z_]\w*$/.test(module) ? module : 'Program'}()  # your own ${kind} with the predictors ${(predictors ?? []).map((one) => one.name).join(', ')}`;
  const shell = isOwn ? null
    : snippet('Shell', `hone predict --home ${home} --program ${run.runId} ${inputs.map((name) => `${name}="…"`).join(' ')}`);
  const python = isOwn
    ? `import hone\n\nhone.configure(home=${homeText})\nloaded = hone.load_program(run="${run.runId}")\nhone.configure(lm=${model.replace('program[', 'loaded[')})\nprogram = ${own('hone.Program')}\nprogram.load_state(loaded.state)\nprint(program(${dspyInputs}))`
    : `import hone\n\nwith hone.Client.start(${homeText}) as client:\n    program = client.load_program(run="${run.runId}")\n    answer = client.predict({${pairs}}, program_id=program["programId"], lm=${model})\n    print(answer["outputs"])`;
  const made = !BUILT_IN.has(module) ? own('dspy.Module') : `dspy.${module}("${asked}")`;
  replace(panel, h('div.stack',
    h('p.lead', kindOf(run) === 'compile' ? 'How to use the best program of this search.' : 'How to use the program that this run evaluated.',
      isOwn ? ' Its control flow is your own code; only the instructions and demos of its predictors are optimized.' : ''),
    h('div.two',
      shell,
      snippet('JSON-RPC', request, `A line for hone serve --home ${run.home ?? '.hone'}, on standard input or a socket. The answer has a programId for predict, evaluate and compile.`),
      snippet('Python', python),
      snippet('DSPy, through MLflow\'s client', `import dspy, mlflow\n\nmlflow.set_tracking_uri("${location.origin}")\npath = mlflow.artifacts.download_artifacts("${artifactUri}/${file}")\nprogram = ${made}\nprogram.load(path)\nprint(program(${dspyInputs}))`),
      snippet('The file itself', `${artifactUri}/${file}`, 'The state that DSPy\'s Module.load() reads: instructions and demos by predictor.'))));
}
