// One client's whole session, the same for both generations of the TypeScript
// SDK: what differs is in the object that v1.mjs and v2.mjs pass.
import assert from 'node:assert/strict';
import { check, deadPlatform, demoVendors, errorKinds, kb, rejects, serveHTTP, sleep, toolList, within } from '../lib.mjs';

const tools = toolList();

// result checks the form of a successful answer and returns its content.
function result(answer, what) {
  assert.ok(!answer.isError, `${what}: ${answer.content?.[0]?.text}`);
  assert.equal(answer.content.length, 1, `${what}: content blocks`);
  assert.equal(answer.content[0].type, 'text');
  assert.deepEqual(JSON.parse(answer.content[0].text), answer.structuredContent, `${what}: text and structuredContent`);
  assert.ok([...answer.content[0].text].length < 20_000, `${what}: too long`);
  return answer.structuredContent;
}

// failure checks the form of a failed answer and returns the error.
function failure(answer) {
  assert.equal(answer.isError, true, `no failure: ${answer.content?.[0]?.text}`);
  assert.equal(answer.structuredContent, undefined, 'a failure has structuredContent');
  assert.equal(answer.content.length, 1);
  const { error } = JSON.parse(answer.content[0].text);
  assert.ok(errorKinds.includes(error.kind), `kind ${error.kind}`);
  assert.ok(error.message && error.hint, 'a failure needs a message and a hint');
  assert.equal(typeof error.retryable, 'boolean');
  return error;
}

// session runs one client on one transport. make() gives {client, transport};
// call(client, name, args, options) calls a tool.
export async function session(name, make, { call, version, close }) {
  const { client, transport } = make();
  const ask = async (tool, args = {}) => result(await call(client, tool, args), `${tool} ${JSON.stringify(args)}`);
  const it = (what, run) => check(`${name}: ${what}`, run);

  const connected = await it('connects', async () => {
    await client.connect(transport);
    assert.equal(client.getServerVersion()?.name, 'kb-mcp');
    assert.match(client.getInstructions() ?? '', /list_vendors/);
    assert.equal(version.of(client, transport), version.want);
    return true;
  });
  if (!connected) return close(client, transport).catch(() => {});

  await it('lists exactly the tools of kb-mcp tools', async () => {
    const listed = (await client.listTools()).tools;
    assert.deepEqual(listed.map((tool) => tool.name).sort(), [...tools.keys()].sort());
    for (const tool of listed) {
      for (const key of ['description', 'inputSchema', 'outputSchema', 'annotations']) {
        assert.deepEqual(tool[key], tools.get(tool.name)[key], `${tool.name}: ${key}`);
      }
    }
  });

  await it('prompts, and completion of their arguments', async () => {
    const { prompts } = await client.listPrompts();
    assert.deepEqual(prompts.map((p) => p.name).sort(), ['answer_from_knowledge_base', 'check_uploads', 'explain_failures']);
    for (const { name } of prompts) {
      const args = { vendor: 'dify', ...(name.startsWith('answer') && { question: 'Who?' }) };
      const { messages } = await client.getPrompt({ name, arguments: args });
      assert.match(messages[0].content.text, /vendor "dify"/);
    }
    const wrong = await rejects(client.getPrompt({ name: 'check_uploads', arguments: { vendr: 'dify' } }), 'getPrompt');
    assert.equal(wrong.code, -32602, wrong.message);
    assert.match(wrong.message, /did you mean vendor/);
    const ref = { type: 'ref/prompt', name: 'check_uploads' };
    const names = await client.complete({ ref, argument: { name: 'vendor', value: 'di' } });
    assert.deepEqual(names.completion.values, ['dify']);
    const bases = await client.complete({ ref, argument: { name: 'knowledge_base_id', value: '' }, context: { arguments: { vendor: 'dify' } } });
    assert.ok(bases.completion.values.length > 0, 'no knowledge bases');
    const [first] = bases.completion.values;
    const one = await client.complete({ ref, argument: { name: 'knowledge_base_id', value: first }, context: { arguments: { vendor: 'dify' } } });
    assert.deepEqual(one.completion.values, [first]);
  });

  await it('list_vendors', async () => {
    const { vendors } = await ask('list_vendors');
    assert.deepEqual(vendors.map((v) => v.vendor).sort(), demoVendors);
    for (const v of vendors) v.capabilities.forEach((tool) => assert.ok(tools.has(tool), `capability ${tool}`));
  });

  // All at once: each platform has a rate limit of its own to wait for.
  await Promise.all(demoVendors.map((vendor) => it(`reads ${vendor}`, async () => {
    const { knowledge_bases: bases } = await ask('list_knowledge_bases', { vendor });
    assert.ok(bases.length > 0, 'no knowledge bases');
    let richest = { documents: [] };
    for (const base of bases) {
      const answer = await call(client, 'list_documents', { vendor, knowledge_base_id: base.knowledge_base_id, limit: 100 });
      if (answer.isError) { // the demo has one base whose API is switched off
        failure(answer);
        continue;
      }
      const list = result(answer, `list_documents of ${base.name}`);
      if (list.documents.length > richest.documents.length) richest = list;
    }
    assert.ok(richest.documents.length > 2, 'no knowledge base with documents');
    const where = { vendor, knowledge_base_id: richest.knowledge_base_id };
    const ids = richest.documents.map((d) => d.document_id);

    const paged = [];
    for (let cursor; paged.length <= ids.length;) {
      const page = await ask('list_documents', { ...where, limit: 2, ...(cursor && { cursor }) });
      paged.push(...page.documents.map((d) => d.document_id));
      if (!(cursor = page.next_cursor)) break;
    }
    assert.deepEqual(paged.sort(), [...ids].sort(), 'pages of two');

    const { document } = await ask('get_document_info', { ...where, document_id: ids[0] });
    assert.equal(document.document_id, ids[0]);
    assert.equal(document.name, richest.documents[0].name);

    const some = await ask('get_ingestion_progress', { ...where, document_ids: ids.slice(0, 3) });
    assert.deepEqual(some.documents.map((d) => d.document_id).sort(), ids.slice(0, 3).sort());
    assert.equal(some.summary.total, 3);
    const whole = await ask('get_ingestion_progress', where);
    assert.equal(whole.summary.total, ids.length, 'the summary of the whole knowledge base');

    const missing = await call(client, 'get_document_info', { ...where, document_id: 'no-such-document' });
    assert.match(failure(missing).kind, /^(invalid_argument|not_found)$/);
  })));

  await it('wait_for_ingestion tells its progress in order, and before its answer', async () => {
    const { knowledge_bases: bases } = await ask('list_knowledge_bases', { vendor: 'volcengine' });
    const base = bases.find((b) => b.name === 'engineering_notes'); // holds documents that never settle
    const events = [];
    const answer = await call(client, 'wait_for_ingestion',
      { vendor: 'volcengine', knowledge_base_id: base.knowledge_base_id, timeout_seconds: 6 }, { onprogress: (event) => events.push(event) });
    const seen = events.length;
    assert.equal(result(answer, 'wait_for_ingestion').summary.done, false);
    assert.ok(seen >= 2, `${seen} progress events`);
    events.forEach((event, i) => {
      assert.ok(i === 0 || event.progress > events[i - 1].progress, `progress ${JSON.stringify(events)}`);
      assert.match(event.message, /of \d+ documents settled/);
    });
    await sleep(50);
    assert.equal(events.length, seen, 'progress after the answer');
  });

  await it('a bad id is an error that a model can read', async () => {
    const error = failure(await call(client, 'list_documents', { vendor: 'dify', knowledge_base_id: 'no/such id' }));
    assert.match(error.kind, /^(invalid_argument|not_found)$/);
  });

  await it('bad arguments are invalid_argument, by name', async () => {
    for (const [args, named] of [
      [{ vendor: 'dify', knowledge_base_id: 'x', limit: 500 }, /limit/],
      [{ vendor: 'dify', knowledge_base_id: 'x', limt: 5 }, /limt/],
      [{ vendor: 'dify' }, /knowledge_base_id/],
      [{ vendor: 'nobody', knowledge_base_id: 'x' }, /vendor/],
    ]) {
      const error = failure(await call(client, 'list_documents', args));
      assert.equal(error.kind, 'invalid_argument', JSON.stringify(args));
      assert.match(error.message, named);
    }
  });

  await it('an unknown tool is a protocol error', async () => {
    const err = await rejects(call(client, 'no_such_tool', {}), 'the call');
    assert.equal(err.code, -32602, `${err.name} ${err.code}: ${err.message}`);
  });

  await it('forty calls at once', async () => {
    const asked = Array.from({ length: 40 }, (_, i) => [undefined, 'dify', 'ragflow', 'volcengine'][i % 4]);
    const answers = await Promise.all(asked.map((vendor) => (vendor ? ask('list_knowledge_bases', { vendor }) : ask('list_vendors'))));
    assert.deepEqual(answers.map((answer) => answer.vendor), asked);
  });

  await it('closes', () => within(10_000, close(client, transport), 'close'));
}

// cancellation runs a call that never ends and cancels it: the platform's
// request must end too, and the session go on.
export async function cancellation(name, make, { call, close }, platform) {
  platform.reset();
  await check(`${name}: a cancelled call leaves the platform, and the session goes on`, async () => {
    const { client, transport } = make();
    try {
      await client.connect(transport);
      const controller = new AbortController();
      const pending = call(client, 'list_knowledge_bases', { vendor: 'dify' }, { signal: controller.signal });
      pending.catch(() => {}); // looked at below
      await platform.asked();
      controller.abort(new Error('cancelled by the check'));
      await rejects(within(10_000, pending, 'the cancelled call'), 'the cancelled call');
      await platform.left();
      const after = result(await call(client, 'list_vendors', {}), 'list_vendors');
      assert.deepEqual(after.vendors.map((v) => v.vendor), ['dify']);
    } finally {
      await within(10_000, close(client, transport), 'close');
    }
  });
}

// confirmation deletes a knowledge base where a person must agree: says no, then
// the wrong name, then the right one. make(ask) gives {client, transport}, whose
// person answers with ask(params).
export async function confirmation(name, make, { call, close }) {
  await check(`${name}: a delete asks and obeys`, async () => {
    const asked = [];
    let says;
    const { client, transport } = make((params) => {
      asked.push(params.message);
      return says;
    });
    const names = async () => result(await call(client, 'list_knowledge_bases', { vendor: 'ragflow' }), 'list').knowledge_bases.map((b) => b.name);
    try {
      await client.connect(transport);
      const base = `ci confirm ${name}`;
      const made = result(await call(client, 'create_knowledge_base', { vendor: 'ragflow', name: base }), 'create').knowledge_base;
      const doomed = { vendor: 'ragflow', knowledge_base_id: made.knowledge_base_id };
      for (says of [{ action: 'decline' }, { action: 'cancel' }, { action: 'accept', content: { confirm: 'yes' } }]) {
        assert.equal(failure(await call(client, 'delete_knowledge_base', doomed)).kind, 'conflict', says.action);
      }
      assert.ok((await names()).includes(base), 'it is gone after a no');
      says = { action: 'accept', content: { confirm: base } };
      assert.equal(result(await call(client, 'delete_knowledge_base', doomed), 'delete').deleted, true);
      assert.ok(!(await names()).includes(base), 'it is there after a yes');
      assert.equal(asked.length, 4);
      assert.ok(asked[0].includes(base), asked[0]);
    } finally {
      await within(10_000, close(client, transport), 'close');
    }
  });
}

// gone waits for a process that the client started to have left.
export async function gone(pid) {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
  }
  throw new Error(`process ${pid} is still there 10 s after close`);
}

// everywhere runs f(transport kind, how to reach the demo, how to reach the
// dead platform, that platform, how to reach a demo where deletes are confirmed)
// over all three transports.
export async function everywhere(f) {
  const platform = await deadPlatform();
  const demo = await serveHTTP(['--demo']);
  const dead = await serveHTTP([], platform.env);
  const writes = { KB_MCP_ALLOW_WRITES: 'true', KB_MCP_CONFIRM: 'require' };
  const sure = await serveHTTP(['--demo'], writes);
  try {
    for (const [kind, path] of [['stdio', ''], ['http', '/mcp'], ['sse', '/sse']]) {
      await f(kind,
        { command: kb, args: ['stdio', '--demo'], env: {}, url: new URL(demo.url + path) },
        { command: kb, args: ['stdio'], env: platform.env, url: new URL(dead.url + path) },
        platform,
        { command: kb, args: ['stdio', '--demo'], env: writes, url: new URL(sure.url + path) });
    }
  } finally {
    await check('the HTTP servers stop cleanly', async () => {
      for (const { child } of [demo, dead, sure]) {
        assert.equal(await child.ends(2_500, () => child.process.kill('SIGTERM')), 0);
        assert.equal(child.stdout, '', 'stdout of kb-mcp http');
      }
    });
    platform.close();
  }
}
