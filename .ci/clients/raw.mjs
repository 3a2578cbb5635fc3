// What no client library shows: the process itself, its exits, its streams,
// and plain HTTP against the guard.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer } from 'node:http';
import { check, Child, deadPlatform, demoVendors, serveHTTP, within } from './lib.mjs';

const initialize = {
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'ci', version: '1' } },
};
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
const call = (id, name, args = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
const slowCall = call(7, 'list_knowledge_bases', { vendor: 'dify' });

// run runs a command to its end, with nothing on stdin.
async function run(args, env, ms = 10_000) {
  const child = new Child(args, { env, stdin: 'ignore' });
  const code = await within(ms, child.exit, args.join(' '));
  return { code, stdout: child.stdout, stderr: child.stderr };
}

// post sends one request with exactly these headers and returns the answer.
function post(url, { method = 'POST', headers = {}, body } = {}) {
  const json = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return within(10_000, new Promise((resolve, reject) => {
    const r = request(url, {
      method,
      agent: false,
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
    }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      }).on('end', () => resolve({ status: response.statusCode, headers: response.headers, text })).on('error', reject);
    });
    r.on('error', reject);
    r.end(json);
  }), `${method} ${url}`);
}

// pure checks that every line of stdout is a JSON-RPC message.
function pure(child) {
  assert.ok(child.stdout.length > 0, 'stdout is empty');
  assert.ok(child.stdout.endsWith('\n'), 'the last line is cut');
  for (const line of child.stdout.split('\n').slice(0, -1)) {
    const message = JSON.parse(line);
    assert.equal(message.jsonrpc, '2.0', line);
  }
}

// Start-up.

for (const args of [[], ['stdio'], ['http', '--addr', '127.0.0.1:0']]) {
  await check(`raw: ${['kb-mcp', ...args].join(' ')} without configuration says what to set`, async () => {
    const { code, stdout, stderr } = await run(args, {});
    assert.equal(code, 1);
    assert.equal(stdout, '');
    for (const named of ['COZE_API_TOKEN', 'DIFY_API_KEY', 'RAGFLOW_API_KEY', 'VOLCENGINE_ACCESS_KEY', 'VOLCENGINE_SECRET_KEY', '--demo']) {
      assert.ok(stderr.includes(named), `${named} is not named in: ${stderr}`);
    }
  });
}

await check('raw: all problems of a configuration in one message, without values', async () => {
  const { code, stderr } = await run(['stdio'], {
    DIFY_API_KEY: 'canary-key', DIFY_BASE_URL: 'canary-url', VOLCENGINE_ACCESS_KEY: 'canary-ak', DIFY_TIMEOUT: 'soon', COZE_API_TOKEN: '${COZE_API_TOKEN}',
  });
  assert.equal(code, 1);
  for (const named of ['DIFY_BASE_URL', 'DIFY_TIMEOUT', 'VOLCENGINE_SECRET_KEY', 'COZE_API_TOKEN']) {
    assert.ok(stderr.includes(named), `${named} is not named in: ${stderr}`);
  }
  assert.doesNotMatch(stderr, /canary/);
});

for (const addr of ['0.0.0.0:0', ':0', '[::]:0']) {
  await check(`raw: http --addr ${addr} without tokens is refused`, async () => {
    const { code, stderr } = await run(['http', '--demo', '--addr', addr], {});
    assert.equal(code, 1);
    assert.match(stderr, /KB_MCP_AUTH_TOKENS/);
    assert.doesNotMatch(stderr, /listening/);
  });
}

// Commands.

await check('raw: kb-mcp tools fits into an agent', async () => {
  const { code, stdout } = await run(['tools'], {});
  assert.equal(code, 0);
  const { tools } = JSON.parse(stdout);
  const size = [...JSON.stringify({ tools })].length;
  assert.ok(size <= 18_000, `${size} characters`);
  for (const tool of tools) {
    const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations;
    assert.deepEqual([readOnlyHint, destructiveHint, idempotentHint, openWorldHint], [true, false, true, true], tool.name);
  }
});

await check('raw: kb-mcp call answers on stdout, and fails on stderr with exit 1', async () => {
  const good = await run(['call', '--demo', 'list_vendors', '{}'], {});
  assert.equal(good.code, 0);
  assert.equal(good.stderr, '');
  assert.deepEqual(JSON.parse(good.stdout).vendors.map((v) => v.vendor).sort(), demoVendors);
  const bad = await run(['call', '--demo', 'list_documents', '{"vendor":"dify"}'], {});
  assert.equal(bad.code, 1);
  assert.equal(bad.stdout, '');
  assert.equal(JSON.parse(bad.stderr).error.kind, 'invalid_argument');
  const unknown = await run(['call', '--demo', 'no_such_tool'], {});
  assert.equal(unknown.code, 1);
});

await check('raw: kb-mcp version', async () => {
  const { code, stdout } = await run(['version'], {});
  assert.equal(code, 0);
  assert.match(stdout, /^kb-mcp \S+, commit .+, go1\.\S+\n$/);
});

await check('raw: kb-mcp demo ends by itself in under 15 s, as plain lines', async () => {
  const { code, stdout, stderr } = await run(['demo'], {}, 15_000);
  assert.equal(code, 0, stderr);
  demoVendors.forEach((vendor) => assert.ok(stdout.includes(vendor), vendor));
  assert.doesNotMatch(stdout, /\x1b|\r/, 'terminal control characters');
});

await check('raw: kb-mcp sandbox prints variables that work', async () => {
  const sandbox = new Child(['sandbox'], { stdin: 'ignore' });
  try {
    await sandbox.until('stdout', /^# .*\n/m);
    const env = Object.fromEntries(sandbox.stdout.split('\n').filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    for (const vendor of demoVendors) {
      const { code, stdout, stderr } = await run(['call', 'list_knowledge_bases', JSON.stringify({ vendor })], env);
      assert.equal(code, 0, stderr);
      assert.ok(JSON.parse(stdout).knowledge_bases.length > 0, vendor);
    }
  } finally {
    assert.equal(await sandbox.ends(2_000, () => sandbox.process.kill('SIGTERM')), 0);
  }
});

// stdio.

await check('raw: stdout carries protocol lines only, whatever comes in', async () => {
  const child = new Child(['stdio', '--demo'], { env: { KB_MCP_LOG_LEVEL: 'debug' } });
  child.send(initialize, initialized);
  child.process.stdin.write('\nnot json\n{"jsonrpc":"2.0"}\n[]\n[{"jsonrpc":"2.0","id":90,"method":"ping"}]\n"text"\n{"id":91}\n\u0000\n');
  child.send(
    { jsonrpc: '2.0', id: 2, method: 'tools/list' },
    { jsonrpc: '2.0', id: 3, method: 'no/such/method' },
    call(4, 'no_such_tool'), call(5, 'list_vendors', { bogus: 1 }), call(6, 'list_vendors', 'text'),
    { jsonrpc: '2.0', id: 'x', method: 'ping' }, { jsonrpc: '2.0', method: 'no/such/notification' },
    ...demoVendors.map((vendor, i) => call(10 + i, 'list_knowledge_bases', { vendor })),
    call(20, 'list_documents', { vendor: 'dify', knowledge_base_id: '<script>&\u2028"' }),
  );
  for (const id of [1, 2, 3, 4, 5, 6, 'x', 10, 11, 12, 13, 20]) await child.answer(id);
  assert.equal((await child.answer(3)).error.code, -32601);
  assert.equal((await child.answer(4)).error.code, -32602);
  assert.equal((await child.answer(5)).result.isError, true);
  assert.equal((await child.answer(6)).result.isError, true);
  assert.equal(await child.ends(2_000, () => child.process.stdin.end()), 0);
  pure(child);
});

const platform = await deadPlatform();

// busy starts a stdio server with one call in flight.
async function busy() {
  platform.reset();
  const child = new Child(['stdio'], { env: platform.env });
  child.send(initialize, initialized);
  await child.answer(1);
  child.send(slowCall);
  await platform.asked();
  return child;
}

for (const [how, begin] of [
  ['stdin ends', (child) => child.process.stdin.end()],
  ['SIGTERM', (child) => child.process.kill('SIGTERM')],
  ['SIGINT', (child) => child.process.kill('SIGINT')],
]) {
  await check(`raw: stdio exits within 2 s on ${how}, a call in flight`, async () => {
    const child = await busy();
    assert.equal(await child.ends(2_000, () => begin(child)), 0);
    await platform.left();
    pure(child);
  });
  await check(`raw: stdio exits within 2 s on ${how}, idle`, async () => {
    const child = new Child(['stdio', '--demo']);
    child.send(initialize);
    await child.answer(1);
    assert.equal(await child.ends(2_000, () => begin(child)), 0);
    pure(child);
  });
}

await check('raw: a cancelled call on stdio leaves the platform', async () => {
  const child = await busy();
  child.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: slowCall.id, reason: 'ci' } });
  await platform.left();
  child.send(call(8, 'list_vendors'));
  assert.ok(!(await child.answer(8)).result.isError);
  assert.equal(await child.ends(2_000, () => child.process.stdin.end()), 0);
});

await check('raw: a credential that the platform echoes does not come out', async () => {
  const key = 'dataset-canary-4711';
  const echo = createServer((req, res) => {
    res.writeHead(400, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ code: 'odd', message: `your header was ${req.headers.authorization}`, status: 400 }));
  });
  await new Promise((resolve) => {
    echo.listen(0, '127.0.0.1', resolve);
  });
  const child = new Child(['stdio'], {
    env: { DIFY_API_KEY: key, DIFY_BASE_URL: `http://127.0.0.1:${echo.address().port}/v1`, KB_MCP_LOG_LEVEL: 'debug' },
  });
  child.send(initialize, initialized, slowCall);
  assert.equal((await child.answer(slowCall.id)).result.isError, true);
  assert.equal(await child.ends(2_000, () => child.process.stdin.end()), 0);
  echo.close();
  assert.doesNotMatch(child.stdout + child.stderr, /canary/);
});

// HTTP.

const demo = await serveHTTP();
const mcp = `${demo.url}/mcp`;

await check('raw: the guard over /mcp, /sse and /message', async () => {
  const evil = { Host: 'evil.example', Origin: 'http://evil.example' };
  for (const [path, method] of [['/mcp', 'POST'], ['/sse', 'GET'], ['/message', 'POST']]) {
    const url = demo.url + path;
    assert.equal((await post(url, { method, headers: { Host: evil.Host } })).status, 403, `Host at ${path}`);
    assert.equal((await post(url, { method, headers: { Origin: evil.Origin } })).status, 403, `Origin at ${path}`);
    assert.equal((await post(url, { method, headers: { Origin: 'null' } })).status, 403, `Origin null at ${path}`);
  }
  assert.equal((await post(mcp, { body: initialize, headers: { Origin: 'http://localhost:3000' } })).status, 200);
  assert.equal((await post(mcp, { method: 'GET', headers: { Accept: 'text/event-stream' } })).status, 405);
  assert.equal((await post(mcp, { body: initialize, headers: { 'Content-Type': 'text/plain' } })).status, 415);
  assert.equal((await post(mcp, { body: `${JSON.stringify(initialize)}${' '.repeat(4 << 20)}` })).status, 413);
  assert.equal((await post(mcp, { body: 'not json' })).status, 400);
  for (const path of ['/healthz', '/readyz']) {
    assert.equal((await post(demo.url + path, { method: 'GET', headers: { Host: evil.Host } })).status, 200, path);
  }
});

await check('raw: an ended session is gone, and another replica takes a living one', async () => {
  const replica = await serveHTTP();
  try {
    const first = await post(mcp, { body: initialize });
    const session = { 'Mcp-Session-Id': first.headers['mcp-session-id'], 'Mcp-Protocol-Version': '2025-11-25' };
    assert.ok(session['Mcp-Session-Id'], 'no session id');
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    assert.equal((await post(`${replica.url}/mcp`, { headers: session, body: list })).status, 200);
    assert.equal((await post(mcp, { headers: session, method: 'DELETE' })).status, 200);
    assert.equal((await post(mcp, { headers: session, body: list })).status, 404);
  } finally {
    await replica.child.stop();
  }
});

await check('raw: bearer tokens', async () => {
  const { child, url } = await serveHTTP(['--demo'], { KB_MCP_AUTH_TOKENS: 'canary-one,canary-two' });
  try {
    for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: 'Basic canary-one' }]) {
      const answer = await post(`${url}/mcp`, { body: initialize, headers });
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/);
    }
    for (const token of ['canary-one', 'canary-two']) {
      assert.equal((await post(`${url}/mcp`, { body: initialize, headers: { Authorization: `Bearer ${token}` } })).status, 200);
    }
    assert.equal((await post(`${url}/healthz`, { method: 'GET' })).status, 200);
    assert.equal((await post(`${url}/sse`, { method: 'GET' })).status, 401);
  } finally {
    await child.stop();
  }
  assert.doesNotMatch(child.stderr + child.stdout, /canary/);
});

await check('raw: http exits within 2 s on SIGTERM, a call in flight and a stream open', async () => {
  platform.reset();
  const { child, url } = await serveHTTP([], platform.env);
  const stream = request(`${url}/sse`, { agent: false });
  stream.on('error', () => {});
  stream.end();
  await within(5_000, new Promise((resolve) => {
    stream.on('response', (response) => response.on('error', () => {}).once('data', resolve));
  }), 'the SSE stream');
  const { headers } = await post(`${url}/mcp`, { body: initialize });
  const inFlight = post(`${url}/mcp`, { body: slowCall, headers: { 'Mcp-Session-Id': headers['mcp-session-id'] } });
  inFlight.catch(() => {}); // an answer or a cut connection: both will do
  await platform.asked();
  assert.equal(await child.ends(2_000, () => child.process.kill('SIGTERM')), 0);
  await platform.left();
  assert.equal(child.stdout, '');
  stream.destroy();
});

await check('raw: a client that leaves ends its call', async () => {
  platform.reset();
  const { child, url } = await serveHTTP([], platform.env);
  const { headers } = await post(`${url}/mcp`, { body: initialize });
  const leaving = request(`${url}/mcp`, {
    method: 'POST', agent: false,
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', 'Mcp-Session-Id': headers['mcp-session-id'] },
  });
  leaving.on('error', () => {});
  leaving.end(JSON.stringify(slowCall));
  await platform.asked();
  leaving.destroy();
  await platform.left();
  await child.stop();
});

await check('raw: http stops cleanly when idle', async () => {
  assert.equal(await demo.child.ends(2_000, () => demo.child.process.kill('SIGTERM')), 0);
  assert.equal(demo.child.stdout, '');
});
platform.close();
