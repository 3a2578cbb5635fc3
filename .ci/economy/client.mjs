// A client of the real binary over stdio, without a library, and a large sandbox
// for it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const kb = process.env.KB_MCP;
if (!kb) throw new Error('KB_MCP is not set: start .ci/tokens or .ci/questions');

const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

function start(args, env) {
  const child = spawn(kb, args, { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  child.on('close', () => children.delete(child));
  return child;
}

// sandbox starts one with a large archive on every platform, and returns the
// variables that point a server at it.
export async function sandbox(documents) {
  const env = {};
  for await (const line of createInterface({ input: start(['sandbox', '--documents', String(documents)], {}).stdout })) {
    const [, name, value] = line.match(/^(\w+)=(.*)$/) ?? [];
    if (!name) break; // the comments come last
    env[name] = value;
  }
  if (!Object.keys(env).length) throw new Error('the sandbox printed no variables');
  return env;
}

// Session is one session over stdio.
export class Session {
  constructor(args, env = {}) {
    this.child = start(args, { KB_MCP_LOG_LEVEL: 'error', ...env });
    this.waiting = new Map();
    this.last = 0;
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      const message = JSON.parse(line);
      this.waiting.get(message.id)?.(message);
      this.waiting.delete(message.id);
    });
    this.child.on('close', (code) => this.waiting.forEach((settle) => settle({ error: { message: `kb-mcp ended with ${code}` } })));
  }

  async request(method, params = {}) {
    const id = ++this.last;
    const answer = new Promise((resolve) => { this.waiting.set(id, resolve); });
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const late = setTimeout(() => this.waiting.get(id)?.({ error: { message: 'no answer within a minute' } }), 60_000);
    const { result, error } = await answer;
    clearTimeout(late);
    if (error) throw new Error(`${method} ${params.name ?? ''}: ${error.message}`);
    return result;
  }

  async initialize() {
    const result = await this.request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'ci', version: '1' } });
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    return result;
  }

  // call calls a tool and returns the text that an agent reads.
  async call(name, args = {}) {
    const { content, isError } = await this.request('tools/call', { name, arguments: args });
    return { text: content[0].text, failed: Boolean(isError) };
  }

  // value calls a tool that must not fail and returns its answer.
  async value(name, args) {
    const { text, failed } = await this.call(name, args);
    if (failed) throw new Error(`${name} ${JSON.stringify(args)}: ${text}`);
    return JSON.parse(text);
  }

  async close() {
    const ended = new Promise((resolve) => { this.child.on('close', resolve); });
    this.child.stdin.end();
    await ended;
  }
}
