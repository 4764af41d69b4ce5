// The differences of two texts, word by word.

const WORDS = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
const MOST = 4_000_000;

function words(text) {
  return text.match(WORDS) ?? [];
}

/** Longest common subsequence of what is left between equal beginnings and ends; undefined where that is too much work. */
function common(a, b) {
  if (a.length * b.length > MOST) return undefined;
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i * width + j] = a[i] === b[j]
        ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  return { table, width };
}

/** `[{kind: 'same' | 'gone' | 'new', text}]`, which read one after the other give both texts. */
export function wordDiff(before, after) {
  const a = words(before);
  const b = words(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  const parts = [];
  const add = (kind, text) => {
    const last = parts[parts.length - 1];
    if (last?.kind === kind) last.text += text;
    else if (text) parts.push({ kind, text });
  };
  add('same', a.slice(0, start).join(''));
  const found = common(left, right);
  if (!found) {
    add('gone', left.join(''));
    add('new', right.join(''));
  } else {
    let i = 0;
    let j = 0;
    while (i < left.length || j < right.length) {
      if (i < left.length && j < right.length && left[i] === right[j]) {
        add('same', left[i]);
        i += 1;
        j += 1;
      } else if (j >= right.length || i < left.length && found.table[(i + 1) * found.width + j] >= found.table[i * found.width + j + 1]) {
        add('gone', left[i]);
        i += 1;
      } else {
        add('new', right[j]);
        j += 1;
      }
    }
  }
  add('same', a.slice(a.length - end).join(''));
  return tidy(parts);
}

/** Whether what is the same between two changes is too little to read them as two. */
function isSliver(parts, index) {
  const { text } = parts[index];
  if (index === 0 || index === parts.length - 1) return false;
  const changed = Math.min(parts[index - 1].text.length, parts[index + 1].text.length);
  return text.trim().length <= 2 || (text.length <= 14 && changed > 2 * text.length);
}

/** Joins changes that only white space or a short word parts: they read better as one. */
function tidy(parts) {
  const result = [];
  let gone = '';
  let fresh = '';
  const flush = () => {
    if (gone) result.push({ kind: 'gone', text: gone });
    if (fresh) result.push({ kind: 'new', text: fresh });
    gone = '';
    fresh = '';
  };
  parts.forEach((part, index) => {
    if (part.kind === 'gone') gone += part.text;
    else if (part.kind === 'new') fresh += part.text;
    else if ((gone || fresh) && isSliver(parts, index)) {
      gone += part.text;
      fresh += part.text;
    } else {
      flush();
      result.push(part);
    }
  });
  flush();
  return result;
}
