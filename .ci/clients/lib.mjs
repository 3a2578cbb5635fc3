// What the scripts of this folder share: one line per check, the real binary
// as a child process, and a platform that never answers.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';

// kb is the binary under test.
export const kb = process.env.KB_MCP;
if (!kb) throw new Error('KB_MCP is not set: start the checks with .ci/clients/run');

// demoVendors are the connections of --demo.
export const demoVendors = ['coze', 'dify', 'ragflow', 'volcengine'];

// errorKinds are the kinds of failure that a client may see.
export const errorKinds = ['invalid_argument', 'unauthenticated', 'permission_denied', 'not_found', 'conflict', 'rate_limited',
  'quota_exhausted', 'unsupported', 'unavailable', 'vendor_error', 'bad_response', 'timeout', 'internal'];

// check runs one check and prints its line. It returns what the check
// returned, or undefined when it failed.
export async function check(name, run, limit = 60_000) {
  try {
    const value = await within(limit, run(), 'the check');
    console.log(`ok ${name}`);
    return value;
  } catch (err) {
    console.log(`FAIL ${name}: ${why(err)}`);
    process.exitCode = 1;
  }
}

// why is an error on one line.
function why(err) {
  const text = `${err?.name ?? 'Error'}: ${err?.message ?? err}`;
  return text.replace(/\s+/g, ' ').slice(0, 600);
}

// within bounds a promise.
export function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// rejects expects a failure and returns it.
export async function rejects(promise, what) {
  let value;
  try {
    value = await promise;
  } catch (err) {
    return err;
  }
  throw new Error(`${what} succeeded with ${JSON.stringify(value)?.slice(0, 200)}`);
}

// environment is small: none of the machine's own settings.
export const environment = (more = {}) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...more });

// toolList is what `kb-mcp tools` prints, by name.
export function toolList() {
  const out = spawnSync(kb, ['tools'], { env: environment(), encoding: 'utf8', timeout: 10_000 });
  if (out.status !== 0) throw new Error(`kb-mcp tools exited with ${out.status}: ${out.stderr}`);
  return new Map(JSON.parse(out.stdout).tools.map((tool) => [tool.name, tool]));
}

const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// Child is a running kb-mcp whose output is collected.
export class Child {
  constructor(args, { env = {}, stdin = 'pipe' } = {}) {
    this.stdout = '';
    this.stderr = '';
    this.process = spawn(kb, args, { env: environment(env), stdio: [stdin, 'pipe', 'pipe'] });
    children.add(this.process);
    for (const stream of ['stdout', 'stderr']) {
      this.process[stream].setEncoding('utf8').on('data', (text) => {
        this[stream] += text;
      });
    }
    this.process.stdin?.on('error', () => {}); // it may be gone already
    this.exit = new Promise((resolve) => {
      this.process.on('close', (code, signal) => {
        children.delete(this.process);
        resolve(signal ?? code);
      });
    });
  }

  // until waits for a text of stdout or stderr.
  async until(stream, pattern, ms = 30_000) {
    for (const end = Date.now() + ms; ; await sleep(10)) {
      const found = this[stream].match(pattern);
      if (found) return found;
      if (Date.now() > end || this.process.exitCode !== null) {
        throw new Error(`no ${pattern} on ${stream}; stderr: ${this.stderr.slice(-500)}`);
      }
    }
  }

  send(...messages) {
    for (const message of messages) this.process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  // answer waits for the answer to a request of JSON-RPC.
  async answer(id) {
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(10)) {
      const line = this.stdout.split('\n').slice(0, -1).find((text) => JSON.parse(text).id === id);
      if (line) return JSON.parse(line);
    }
    throw new Error(`no answer to request ${id}; stderr: ${this.stderr.slice(-500)}`);
  }

  // ends makes the process end by what begin does, within ms, and returns
  // its exit code (or the name of the signal that ended it).
  async ends(ms, begin) {
    begin();
    return within(ms, this.exit, 'the exit');
  }

  async stop() {
    this.process.kill('SIGTERM');
    await within(3_000, this.exit, 'the exit').catch(() => this.process.kill('SIGKILL'));
  }
}

// serveHTTP starts `kb-mcp http` on a free port and returns it with its base
// URL.
export async function serveHTTP(args = ['--demo'], env = {}) {
  const child = new Child(['http', '--addr', '127.0.0.1:0', ...args], { env, stdin: 'ignore' });
  const [, addr] = await child.until('stderr', /msg=listening.* addr=(\S+)/);
  return { child, url: `http://${addr}` };
}

// deadPlatform is a platform that takes requests and never answers: a call to
// it is in flight until it is cancelled.
export async function deadPlatform() {
  const asked = [];
  const left = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.on('close', () => left.push(request.url));
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const counted = async (list, count, what) => {
    for (const end = Date.now() + 20_000; list.length < count; await sleep(10)) {
      if (Date.now() > end) throw new Error(`${what}: ${list.length} requests, want ${count}`);
    }
  };
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    // env makes this platform the connection dify.
    env: { DIFY_API_KEY: 'dataset-ci', DIFY_BASE_URL: `${url}/v1` },
    reset: () => { asked.length = left.length = 0; },
    asked: () => counted(asked, 1, 'the platform was not asked'),
    left: () => counted(left, asked.length, 'the platform was not left'),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
