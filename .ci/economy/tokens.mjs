// Counts what agents pay for: the list of tools, the instructions, and answers
// about the sandbox. Fails when a figure is over its budget, or has moved from the
// one committed.
//
//   node tokens.mjs FIGURES [--update]
import { readFileSync, writeFileSync } from 'node:fs';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { sandbox, Session } from './client.mjs';

const [, , path, option] = process.argv;
const tolerance = 0.03;
const noise = 5; // tokens or characters by which the times in answers and cursors differ
const documents = 1000; // of the archive

const figures = {}; // name to { tokens, characters }
const budgets = {}; // name to the same, at most

// measured adds a figure. A value is counted as an agent reads it.
function measured(name, value, budget) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  figures[name] = { tokens: countTokens(text), characters: [...text].length };
  if (budget) budgets[name] = budget;
}

// listed measures tools/list, which is the same on every connection.
async function listed() {
  for (const [writes, budget] of [['false', { tokens: 3600, characters: 18_000 }], ['true', { characters: 28_000 }]]) {
    const session = new Session(['stdio', '--demo'], { KB_MCP_ALLOW_WRITES: writes });
    const { instructions } = await session.initialize();
    const { tools } = await session.request('tools/list');
    await session.close();
    if (writes === 'true') {
      measured('tools/list with write tools', { tools }, budget);
      continue;
    }
    measured('tools/list', { tools }, budget);
    measured('tools/list without output schemas', { tools: tools.map(({ outputSchema, ...rest }) => rest) }, { tokens: 2200 });
    measured('instructions', instructions);
  }
}

// limited are pages that have a next one: a cursor behind 20 rows is the usual.
const limited = { list_knowledge_bases: 1, find_documents: 20, find_unfinished_documents: 10, list_documents: 20, list_chunks: 20 };

// cursors measures those of every tool that pages, over one connection or,
// where vendor is undefined, over all.
async function cursors(session, tools, vendor, base, document) {
  const calls = {
    list_knowledge_bases: { vendor },
    find_documents: { vendor, name_contains: '.' },
    find_unfinished_documents: { vendor },
    ...(base && {
      list_documents: { vendor, knowledge_base_id: base },
      get_ingestion_progress: { vendor, knowledge_base_id: base },
      list_chunks: { vendor, knowledge_base_id: base, document_id: document },
    }),
  };
  for (const [tool, args] of Object.entries(calls)) {
    if (!tools.includes(tool)) continue;
    const { text } = await session.call(tool, { ...args, ...(limited[tool] && { limit: limited[tool] }) });
    const { next_cursor: cursor } = JSON.parse(text);
    if (cursor) measured(`cursor of ${tool}, ${vendor ?? 'all connections'}`, cursor, { tokens: 60, characters: 200 });
  }
}

// answers measures what one connection says.
async function answers(session, { vendor, capabilities: tools }) {
  const { knowledge_bases: bases } = await session.value('list_knowledge_bases', { vendor });
  const archive = bases.find(({ name }) => /archive/i.test(name))?.knowledge_base_id;
  const manual = bases.find(({ name }) => /^(产品手册|product_manual)$/.test(name))?.knowledge_base_id;
  if (!archive || !manual) throw new Error(`${vendor} has no archive or no manual: ${JSON.stringify(bases)}`);
  for (const [detail, budget] of [['brief', 850], ['full', 2300]]) {
    const { documents: rows } = await session.value('list_documents', { vendor, knowledge_base_id: archive, detail });
    if (rows.length !== 20) throw new Error(`${vendor} gave ${rows.length} rows`);
    measured(`20 ${detail} rows, ${vendor}`, rows, { tokens: budget });
  }
  const { documents: [page] } = await session.value('list_documents', { vendor, knowledge_base_id: manual, status: 'completed', limit: 1, name_contains: 'Installation' });
  await cursors(session, tools, vendor, archive, undefined);
  await cursors(session, tools.filter((tool) => tool === 'list_chunks'), vendor, manual, page.document_id);
  measured(`summary, ${vendor}`, (await session.call('get_ingestion_progress', { vendor, knowledge_base_id: archive })).text);
  const failure = await session.call('get_document_info', { vendor, knowledge_base_id: manual, document_id: 'nothing' });
  if (!failure.failed) throw new Error(`${vendor} knows the document "nothing"`);
  measured(`error, ${vendor}`, failure.text.replace(/("request_id":")[^"]*/, '$1...')); // another one each time
  if (tools.includes('search_knowledge_base')) {
    measured(`5 hits, ${vendor}`, (await session.call('search_knowledge_base', { vendor, knowledge_base_id: manual, query: 'refund 退款' })).text);
  }
}

// moved says how far a figure is from the committed one; "" for near enough.
function moved(now, then) {
  if (!then) return 'new';
  const changed = ['tokens', 'characters'].filter((unit) => Math.abs(now[unit] - then[unit]) > Math.max(tolerance * then[unit], noise));
  return changed.map((unit) => `${unit} were ${then[unit]}`).join(', ');
}

// over says which budgets a figure exceeds; "" for none.
function over(now, budget = {}) {
  return Object.entries(budget).filter(([unit, most]) => now[unit] > most).map(([unit, most]) => `at most ${most} ${unit}`).join(', ');
}

await listed();
const session = new Session(['stdio'], await sandbox(documents));
await session.initialize();
const { vendors } = await session.value('list_vendors');
measured('list_vendors', { vendors });
await Promise.all(vendors.map((vendor) => answers(session, vendor)));
await cursors(session, vendors.flatMap(({ capabilities }) => capabilities));
await session.close();

const committed = option === '--update' ? {} : JSON.parse(readFileSync(path, 'utf8'));
let failed = 0;
for (const name of [...new Set([...Object.keys(figures), ...Object.keys(committed)])].sort()) {
  const now = figures[name];
  const wrong = now ? [over(now, budgets[name]), option === '--update' ? '' : moved(now, committed[name])].filter(Boolean).join('; ') : 'gone';
  failed += wrong ? 1 : 0;
  console.log(`${wrong ? 'FAIL' : 'ok  '} ${String(now?.tokens ?? '').padStart(6)} tokens ${String(now?.characters ?? '').padStart(6)} characters  ${name}${wrong && `: ${wrong}`}`);
}
if (option === '--update') {
  const lines = Object.entries(figures).sort().map(([name, { tokens, characters }]) => `  ${JSON.stringify(name)}: {"tokens": ${tokens}, "characters": ${characters}}`);
  writeFileSync(path, `{\n${lines.join(',\n')}\n}\n`);
} else if (failed) {
  console.log(`${failed} figures are over their budget or have moved by more than ${100 * tolerance} %; if a move is meant, .ci/tokens --update and commit ${path.replace(/.*\//, '')}`);
}
process.exit(failed ? 1 : 0);
