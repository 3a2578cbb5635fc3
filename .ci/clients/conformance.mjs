// The protocol's own conformance suite, two generations of it, against
// `kb-mcp http`: the scenarios that need no fixtures.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, serveHTTP, within } from './lib.mjs';

const [baseline] = process.argv.slice(2);

const both = ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection', 'server-sse-multiple-streams'];
const suites = {
  'conformance-old': both,
  'conformance-new': [...both, 'server-session-lifecycle', 'http-header-validation', 'sep-2164-resource-not-found',
    'input-required-result-unsupported-methods', 'input-required-result-ignore-extra-params', 'input-required-result-validate-input',
    'server-stateless'],
};

// passing is how many checks a scenario has where the number matters: a
// scenario that skips what it cannot reach still succeeds.
const passing = { 'http-header-validation': 14, 'server-session-lifecycle': 3, 'server-stateless': 24 };

// untestable are the checks of server-stateless that want tools which exist
// for tests only. The baseline allows the scenario to fail; this allows no
// other check of it to.
const untestable = [
  'sep-2575-http-server-no-independent-requests-on-stream',
  'sep-2575-missing-capability-http-400',
  'sep-2575-server-no-log-without-loglevel',
  'sep-2575-server-rejects-undeclared-capability',
];

async function scenario(suite, name, url) {
  const results = await mkdtemp(join(tmpdir(), 'conformance-'));
  const main = join('node_modules', suite, 'dist', 'index.js');
  const args = [main, 'server', '--url', url, '--scenario', name, '-o', results];
  const expected = name === 'server-stateless' ? untestable : [];
  if (expected.length > 0) args.push('--expected-failures', baseline);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 40_000, killSignal: 'SIGKILL' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const code = await within(45_000, new Promise((resolve) => {
    child.on('close', resolve);
  }), name);
  const [run] = readdirSync(results);
  assert.ok(run, `no results, exit ${code}: ${output.slice(-400)}`);
  const checks = JSON.parse(readFileSync(join(results, run, 'checks.json'), 'utf8'));
  const failed = checks.filter((c) => c.status === 'FAILURE');
  assert.deepEqual(failed.map((c) => c.id).sort(), expected, failed.map((c) => `${c.id}: ${c.errorMessage}`).join('; '));
  failed.forEach((c) => assert.match(c.errorMessage, /^Not testable/, c.id));
  const passed = checks.filter((c) => c.status === 'SUCCESS').length;
  assert.ok(passed > 0, 'no check passed');
  if (suite === 'conformance-new' && passing[name]) assert.equal(passed, passing[name], 'checks that passed');
  assert.equal(code, 0, `exit ${code}: ${output.slice(-400)}`);
}

const { child, url } = await serveHTTP();
for (const [suite, names] of Object.entries(suites)) {
  for (const name of names) await check(`${suite} ${name}`, () => scenario(suite, name, `${url}/mcp`), 50_000);
}
await child.stop();
