'use strict';

// The connection to Hone's service: JSON-RPC messages behind Content-Length headers, over a child process.

const { spawn } = require('node:child_process');

const largestMessage = 256 * 1024 * 1024;

/** An error that the service answered with, or that kept it from answering. */
class HoneError extends Error {
  /** @param {{code?: number, message?: string, data?: any}} error */
  constructor({ code = -32603, message, data }) {
    super(message || 'The service gave no message.');
    this.code = code;
    this.data = data && typeof data === 'object' ? data : {};
  }

  get isCancelled() {
    return this.code === -32800;
  }
}

/** Takes bytes as they come and gives whole messages. */
class MessageReader {
  /** @param {(message: any) => void} receive */
  constructor(receive) {
    this.receive = receive;
    this.chunks = [];
    this.size = 0;
    this.length = undefined;
  }

  /** @param {Buffer} chunk */
  feed(chunk) {
    this.chunks.push(chunk);
    this.size += chunk.length;
    for (;;) {
      if (this.length === undefined && !this.readHeader()) return;
      if (this.size < this.length) return;
      const all = this.joined();
      const body = all.subarray(0, this.length);
      this.keep(all.subarray(this.length));
      this.length = undefined;
      this.receive(JSON.parse(body.toString('utf8')));
    }
  }

  readHeader() {
    const all = this.joined();
    const end = all.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.size > 65536) throw new Error('The service sent no header.');
      return false;
    }
    const match = /^content-length: *(\d+)$/im.exec(all.subarray(0, end).toString('latin1').replace(/\r/g, ''));
    const length = match ? Number(match[1]) : NaN;
    if (!(length <= largestMessage)) throw new Error('The service sent a header without a usable length.');
    this.length = length;
    this.keep(all.subarray(end + 4));
    return true;
  }

  joined() {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0];
  }

  keep(rest) {
    this.chunks = [rest];
    this.size = rest.length;
  }
}

/** One running service. */
class Connection {
  /**
   * @param {string} command
   * @param {string[]} args
   * @param {{cwd?: string, log?: (text: string) => void, ended?: () => void}} options
   */
  constructor(command, args, options = {}) {
    this.pending = new Map();
    this.progress = new Map();
    this.listeners = new Map();
    this.answers = new Map();
    this.nextId = 1;
    this.lastWords = '';
    this.isOpen = true;
    this.process = spawn(command, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    const reader = new MessageReader((message) => this.receive(message));
    this.process.stdout.on('data', (chunk) => {
      try {
        reader.feed(chunk);
      } catch (error) {
        this.close(`The service sent an invalid message: ${error.message}`, options.ended);
        this.process.kill();
      }
    });
    this.process.stderr.on('data', (chunk) => {
      const text = chunk.toString('utf8');
      this.lastWords = (this.lastWords + text).slice(-600);
      if (options.log) options.log(text);
    });
    this.process.stdin.on('error', () => {});
    this.process.on('error', (error) => {
      const missing = error.code === 'ENOENT';
      this.close(
        missing
          ? `There is no program "${command}". Build Hone, then put it on the PATH or name it in the setting hone.path.`
          : `The service did not start: ${error.message}`,
        options.ended);
    });
    this.process.on('exit', (code) => {
      const words = this.lastWords.trim() || 'Run a command to start it again.';
      this.close(`The service ended (status ${code}). ${words}`, options.ended);
    });
  }

  close(reason, ended) {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const { reject } of this.pending.values()) reject(new HoneError({ message: reason }));
    this.pending.clear();
    if (ended) ended(reason);
  }

  /** What takes the service's notifications of a method. */
  on(method, listener) {
    this.listeners.set(method, listener);
  }

  /** What answers the service's requests of a method. */
  answer(method, action) {
    this.answers.set(method, action);
  }

  receive(message) {
    if (message.method !== undefined && message.id !== undefined) {
      const answer = this.answers.get(message.method);
      if (answer) {
        Promise.resolve(answer(message.params)).catch(() => null)
          .then((result) => this.isOpen && this.send({ id: message.id, result: result || null }));
        return;
      }
      this.send({ id: message.id, error: { code: -32601, message: `The editor does not know ${message.method}.` } });
    } else if (message.method === '$/progress') {
      const report = this.progress.get(message.params.token);
      if (report) report(message.params.value);
    } else if (message.method !== undefined) {
      const listener = this.listeners.get(message.method);
      if (listener) listener(message.params);
    } else {
      const call = this.pending.get(message.id);
      this.pending.delete(message.id);
      if (!call) return;
      if (message.error) call.reject(new HoneError(message.error));
      else call.resolve(message.result);
    }
  }

  send(message) {
    if (!this.isOpen) return;
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }), 'utf8');
    this.process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.process.stdin.write(body);
  }

  notify(method, params) {
    this.send({ method, params });
  }

  /**
   * Asks for a method.
   * @param {object} options
   * @param {(value: any) => void} [options.onProgress] is given what the service reports.
   * @param {import('vscode').CancellationToken} [options.cancellation] ends the request.
   * @returns {Promise<any>}
   */
  request(method, params, options = {}) {
    if (!this.isOpen) return Promise.reject(new HoneError({ message: 'The service is not running.' }));
    const id = this.nextId++;
    let token;
    if (options.onProgress) {
      token = `vscode-${process.pid}-${id}`;
      this.progress.set(token, options.onProgress);
      params = { ...params, workDoneToken: token };
    }
    if (options.cancellation) {
      options.cancellation.onCancellationRequested(() => this.notify('$/cancelRequest', { id }));
    }
    const answer = new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
    this.send({ id, method, params });
    return answer.finally(() => this.progress.delete(token));
  }

  /** Ends the service politely; in three seconds it is gone. */
  async dispose() {
    if (!this.isOpen) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    const timer = setTimeout(() => this.process.kill(), 3000);
    this.request('shutdown').catch(() => {});
    this.notify('exit');
    this.process.stdin.end();
    await gone;
    clearTimeout(timer);
  }
}

module.exports = { Connection, HoneError, MessageReader };
