// The MCP Inspector's command line: --strict holds the tool list against what
// hosts accept (exit 6 if a schema is not portable).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, demoVendors, environment, kb, serveHTTP, toolList, within } from './lib.mjs';

const names = [...toolList().keys()].sort();
const home = await mkdtemp(join(tmpdir(), 'inspector-')); // it keeps a catalogue in HOME

async function inspect(args) {
  const child = spawn(process.execPath, [join('node_modules', '.bin', 'mcp-inspector'), '--cli', '--format', 'json', ...args], {
    env: environment({ HOME: home }), stdio: ['ignore', 'pipe', 'pipe'], timeout: 25_000, killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  const code = await within(27_000, new Promise((resolve) => {
    child.on('close', resolve);
  }), 'mcp-inspector');
  return { code, stdout, stderr };
}

async function lists(args) {
  const { code, stdout, stderr } = await inspect(['--method', 'tools/list', '--strict', ...args]);
  assert.equal(code, 0, `exit ${code}: ${stderr.slice(-400)}`);
  assert.deepEqual(JSON.parse(stdout).result.tools.map((tool) => tool.name).sort(), names);
}

const { child, url } = await serveHTTP();
const http = (era) => ['--server-url', `${url}/mcp`, '--transport', 'http', '--protocol-era', era];

await check('inspector: tools/list --strict over stdio', () => lists(['-q', '--', kb, 'stdio', '--demo']));
await check('inspector: tools/list --strict over SSE', () => lists(['--server-url', `${url}/sse`, '--transport', 'sse', '-q']));
for (const era of ['legacy', 'auto', 'modern']) {
  await check(`inspector: tools/list --strict over HTTP, ${era}`, () => lists([...http(era), '-q']));
  await check(`inspector: tools/call over HTTP, ${era}`, async () => {
    const tool = async (name, args) => {
      const out = await inspect([...http(era), '--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args), '-q']);
      return { ...out, result: out.code === 0 ? JSON.parse(out.stdout).result : undefined };
    };
    const vendor = demoVendors[1];
    const bases = await tool('list_knowledge_bases', { vendor });
    assert.equal(bases.code, 0, bases.stderr);
    const base = bases.result.structuredContent.knowledge_bases.find((kb) => kb.enabled !== false && kb.document_count > 0);
    const list = await tool('list_documents', { vendor, knowledge_base_id: base.knowledge_base_id });
    assert.equal(list.code, 0, list.stderr);
    assert.ok(list.result.structuredContent.documents.length > 0, 'no documents');
    const bad = await tool('list_documents', { vendor });
    assert.equal(bad.code, 5, `a failed call exits with 5, not ${bad.code}: ${bad.stderr}`);
  });
}
await child.stop();
