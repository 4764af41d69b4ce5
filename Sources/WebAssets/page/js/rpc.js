// Calls of the service's methods: JSON-RPC over POST /rpc.

let last = 0;
const listeners = new Set();

/** What a call ended with: the service's own error, or that it could not be reached. */
export class CallError extends Error {
  constructor(message, { code, data } = {}) {
    super(message);
    this.code = code;
    this.kind = data?.kind ?? 'unreachable';
    this.remedy = data?.remedy;
    this.problems = data?.problems ?? [];
  }
}

/** Tells whether the service answers: `listener(true or false)`. */
export function onReach(listener) { listeners.add(listener); }

function reached(is) { for (const listener of listeners) listener(is); }

/** Calls a method; throws `CallError`, or an `AbortError` once the signal says so. */
export async function call(method, params = {}, { signal } = {}) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: ++last, method, params });
  let response;
  try {
    response = await fetch('rpc', {
      method: 'POST', body, signal, credentials: 'same-origin', headers: { 'Content-Type': 'application/json' },
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    reached(false);
    throw new CallError('The service cannot be reached.', {
      data: { kind: 'unreachable', remedy: 'Start it again with hone ui; this page reconnects by itself.' },
    });
  }
  let answer;
  try {
    answer = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    reached(response.status < 500);
    throw new CallError(`The server answered ${response.status} ${response.statusText}.`, {
      data: response.status === 401 || response.status === 403
        ? { kind: 'authentication', remedy: 'Open the address that hone ui printed, with its token.' } : undefined,
    });
  }
  reached(true);
  if (answer.error) throw new CallError(answer.error.message, answer.error);
  return answer.result;
}

/** All pages of a listing: `each(result)` is called page by page, and may return true to stop. */
export async function pages(method, params, each, options) {
  let pageToken;
  do {
    const result = await call(method, pageToken ? { ...params, pageToken } : params, options);
    if (each(result) === true) return;
    pageToken = result.nextPageToken;
  } while (pageToken);
}

/** A file of a run as text; undefined where there is none. Reads at most `limit` bytes. */
async function artifactText(runId, path, { signal, limit = 32 << 20 } = {}) {
  try {
    const file = await call('getArtifact', { runId, path, length: limit }, { signal });
    return file.text;
  } catch (error) {
    if (error.kind === 'notFound') return undefined;
    throw error;
  }
}

/** A JSON file of a run; undefined where there is none or it is no JSON. */
export async function artifactJSON(runId, path, options) {
  const text = await artifactText(runId, path, options);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
