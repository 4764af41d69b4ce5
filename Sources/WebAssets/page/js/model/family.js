// Where the programs of a search came from: its family tree, from the notes that come with its trials.

const isFull = (trial) => !/minibatch/.test(trial.kind);
const VERDICTS = ['kept', 'dropped', 'probe'];
const finite = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
const text = (value) => (typeof value === 'string' ? value : undefined);

/** A trial with what it says of its candidate, read leniently: the file of an imported run may hold anything. */
function read(trial) {
  const note = trial?.candidate;
  if (!Number.isInteger(note?.number) || !Number.isInteger(trial.number)) return undefined;
  return {
    number: trial.number, name: text(trial.name) ?? '', kind: text(trial.kind) ?? '', runId: text(trial.runId), score: finite(trial.score),
    count: finite(trial.count), interval: Array.isArray(trial.interval) ? trial.interval : undefined,
    candidate: {
      number: note.number, parents: Array.isArray(note.parents) ? note.parents.filter(Number.isInteger) : [], change: text(note.change) ?? '',
      verdict: VERDICTS.includes(note.verdict) ? note.verdict : 'probe', reason: text(note.reason), gain: finite(note.gain), pairs: finite(note.pairs),
      estimate: finite(note.estimate),
    },
  };
}

/** The trials that tell where their programs came from. */
export function noted(trials) {
  return (Array.isArray(trials) ? trials : []).map(read).filter(Boolean);
}

/**
 * What is said of a candidate when all is said: one evaluated again has a later note, which counts. That it was also a
 * probe, on a few rows, takes nothing back.
 */
function settled(notes) {
  const decided = notes.filter((note) => note.verdict !== 'probe');
  const said = decided.length ? decided : notes;
  return said.reduce((before, note) => ({
    ...note, gain: note.gain ?? before.gain, pairs: note.gain === undefined ? before.pairs : note.pairs, estimate: note.estimate ?? before.estimate,
    reason: note.reason ?? (before.verdict === note.verdict ? before.reason : undefined),
  }), {});
}

/**
 * The tree. Kept candidates are its trunk and branches; dropped ones and probes belong to the nearest kept one that they
 * come from.
 */
export class Family {
  /** From `noted` trials; `bestRunId` is the evaluation that the best program was chosen by. */
  constructor(trials, bestRunId) {
    const byNumber = new Map();
    for (const trial of trials) {
      const { number } = trial.candidate;
      if (!byNumber.has(number)) byNumber.set(number, []);
      byNumber.get(number).push(trial);
    }
    this.nodes = new Map([...byNumber].sort(([a], [b]) => a - b).map(([number, own]) => {
      const scored = own.filter((trial) => trial.score !== undefined);
      return [number, {
        ...settled(own.map((trial) => trial.candidate)), number, trials: own,
        shown: scored.filter(isFull).at(-1) ?? scored.at(-1), runId: own.filter((trial) => trial.runId).at(-1)?.runId,
        isBest: own.some((trial) => trial.runId && trial.runId === bestRunId),
      }];
    }));
    this.kept = [...this.nodes.values()].filter((node) => node.verdict === 'kept');
    this.dropped = this.under('dropped');
    this.probes = this.under('probe');
    this.arrange();
  }

  get(number) { return this.nodes.get(number); }

  /** The nearest kept candidate that one comes from; undefined for the first, and where its parents are not known. */
  keptParent(node) {
    const seen = new Set();
    let parent = this.nodes.get(node.parents?.[0]);
    while (parent && parent.verdict !== 'kept') {
      if (seen.has(parent.number)) return undefined;
      seen.add(parent.number);
      parent = this.nodes.get(parent.parents?.[0]);
    }
    return parent === node ? undefined : parent;
  }

  /** Candidates with that verdict by the number of the kept one above them; undefined for those without. */
  under(verdict) {
    const groups = new Map();
    for (const node of this.nodes.values()) {
      if (node.verdict !== verdict) continue;
      const key = this.keptParent(node)?.number;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(node);
    }
    return groups;
  }

  /** Gives each kept candidate its lane: 0 is the line to the best, each branch has the first lane that is free. */
  arrange() {
    const trunk = new Set();
    for (let node = this.kept.find((one) => one.isBest) ?? this.kept.at(-1); node && !trunk.has(node); node = this.keptParent(node)) trunk.add(node);
    const row = new Map(this.kept.map((node, index) => [node, index]));
    const branches = [];
    const branchOf = new Map();
    for (const node of this.kept) {
      node.lane = 0;
      if (trunk.has(node)) continue;
      const parent = this.keptParent(node);
      const branch = branchOf.get(parent);
      if (branch && branch.nodes.at(-1) === parent) {
        branch.nodes.push(node);
        branchOf.set(node, branch);
      } else {
        const fresh = { from: parent ? row.get(parent) : row.get(node), nodes: [node] };
        branches.push(fresh);
        branchOf.set(node, fresh);
      }
    }
    const ends = [];
    for (const branch of branches.sort((a, b) => a.from - b.from)) {
      let lane = ends.findIndex((end) => end <= branch.from);
      if (lane < 0) lane = ends.length;
      ends[lane] = row.get(branch.nodes.at(-1));
      for (const node of branch.nodes) node.lane = Math.min(lane + 1, 7);
    }
    this.lanes = 1 + Math.max(0, ...this.kept.map((node) => node.lane));
  }
}
