// The spans of a trace as a tree that grows page by page, however many there are.

export class SpanTree {
  constructor() {
    this.spans = [];
    this.byId = new Map();
    this.closed = new Set();
    this.rows = [];
    this.errors = 0;
  }

  /** Adds spans in the order they began. */
  add(spans) {
    for (const span of spans) {
      this.byId.set(span.id, span);
      this.spans.push(span);
      span.children = [];
      if (span.status === 'ERROR') this.errors += 1;
    }
    for (const span of spans) {
      const parent = span.parentId === null ? undefined : this.byId.get(span.parentId);
      span.isRoot = !parent || parent === span;
      if (!span.isRoot) parent.children.push(span);
    }
    this.layout();
  }

  /** Works out which spans are rows, and how deep each is. */
  layout() {
    const rows = [];
    const seen = new Set();
    const stack = this.spans.filter((span) => span.isRoot).reverse().map((span) => [span, 0]);
    while (stack.length) {
      const [span, depth] = stack.pop();
      if (seen.has(span)) continue;
      seen.add(span);
      span.depth = depth;
      span.row = rows.length;
      rows.push(span);
      if (this.closed.has(span.id)) continue;
      for (let index = span.children.length - 1; index >= 0; index -= 1) stack.push([span.children[index], depth + 1]);
    }
    this.rows = rows;
  }

  setClosed(span, isClosed) {
    if (isClosed) this.closed.add(span.id);
    else this.closed.delete(span.id);
    for (const other of this.rows) other.row = undefined;
    this.layout();
  }

  /** Opens whatever hides a span. */
  reveal(span) {
    let isHidden = false;
    for (let parent = this.byId.get(span.parentId); parent && parent !== span; parent = this.byId.get(parent.parentId)) {
      if (this.closed.delete(parent.id)) isHidden = true;
    }
    if (isHidden) this.layout();
  }

  /** The next span after `from` (in rows' order, round to the beginning) that passes the test. */
  next(from, test) {
    const start = from ? this.spans.indexOf(from) + 1 : 0;
    for (let step = 0; step < this.spans.length; step += 1) {
      const span = this.spans[(start + step) % this.spans.length];
      if (test(span)) return span;
    }
    return undefined;
  }
}

const attribute = (span, key) => span.attributes?.[key];

export function tokensOf(span) {
  return attribute(span, 'mlflow.chat.tokenUsage')?.total_tokens;
}

export function secondsOf(span) {
  return (span.endTimeNs - span.startTimeNs) / 1e9;
}

/** The messages in a span's inputs or outputs: `[{role, text}]`; undefined where they are none. */
export function messagesOf(value, role) {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return role ? [{ role, text: value }] : undefined;
  if (Array.isArray(value)) {
    if (!value.length) return undefined;
    if (value.every((one) => typeof one === 'string')) return role ? value.map((text) => ({ role, text })) : undefined;
    if (value.every((one) => one && typeof one === 'object' && 'role' in one)) return value.map(message);
    if (role && value.every((one) => one && typeof one === 'object' && typeof one.text === 'string')) return value.map((one) => ({ role, text: one.text }));
    return undefined;
  }
  if (Array.isArray(value.messages)) return messagesOf(value.messages);
  if (Array.isArray(value.choices)) {
    const found = value.choices.map((choice) => (choice.message ? message(choice.message) : { role, text: String(choice.text ?? '') }));
    return found.length ? found : undefined;
  }
  if (typeof value.prompt === 'string') return [{ role: 'user', text: value.prompt }];
  return undefined;
}

function message(one) {
  const { content } = one;
  let text = '';
  if (typeof content === 'string') text = content;
  else if (Array.isArray(content)) {
    text = content.map((part) => (typeof part === 'string' ? part : part?.text ?? `(${part?.type ?? 'part'} of ${JSON.stringify(part).length} characters)`)).join('\n');
  } else if (content !== null && content !== undefined) text = JSON.stringify(content, null, 2);
  if (one.tool_calls) text += `${text ? '\n' : ''}${JSON.stringify(one.tool_calls, null, 2)}`;
  return { role: String(one.role), text };
}
