// Asks the questions that people have about their knowledge bases against the
// sandbox, as a careful agent would: in one conversation, in which it knows the
// connections from the instructions, and does not ask again what an earlier
// answer said. Fails when an answer lacks what is true of the sandbox's
// documents, or when all of them cost too much.
import { Session } from './client.mjs';

const most = { calls: 20, bytes: 25_000 };
const vendors = ['coze', 'dify', 'ragflow', 'volcengine'];
const closed = 'dify permission_denied'; // a knowledge base with its API switched off

const session = new Session(['stdio', '--demo'], { KB_MCP_ALLOW_WRITES: 'true' });
const { instructions } = await session.initialize();
const total = { calls: 0, bytes: 0 };
let failed = 0;

// tell prints a line; what is wrong is "" for nothing.
function tell(wrong, text) {
  if (wrong) failed++;
  console.log(`${wrong ? 'FAIL' : 'ok  '} ${text}${wrong ? `: ${wrong}` : ''}`);
}

// ask has a question answered. answer is given a function that calls a tool, and
// returns what it learned and what is true.
async function ask(question, answer) {
  const cost = { calls: 0, bytes: 0 };
  const call = async (tool, args) => {
    const { text, failed: refused } = await session.call(tool, args);
    cost.calls++;
    cost.bytes += Buffer.byteLength(text);
    if (refused) throw new Error(`${tool} ${JSON.stringify(args)}: ${text}`);
    return JSON.parse(text);
  };
  const wrong = await answer(call).then(([learned, truth]) => differs(learned, truth), (err) => err.message);
  total.calls += cost.calls;
  total.bytes += cost.bytes;
  tell(wrong, `${String(cost.calls).padStart(2)} calls ${String(cost.bytes).padStart(6)} bytes  ${question}`);
}

// differs compares lists without their order.
function differs(learned, truth) {
  const [a, b] = [learned, truth].map((list) => JSON.stringify([...list].sort()));
  return a === b ? '' : `learned ${a}, true is ${b}`;
}

// rowsOf are the rows of an answer, each with its connection and the name of its
// knowledge base. Gaps other than those that are true are no answer.
function rowsOf(answer, gaps = [closed]) {
  const missing = differs((answer.incomplete ?? []).map(({ vendor, error }) => `${vendor} ${error.kind}`), gaps);
  if (missing) throw new Error(`incomplete: ${missing}`);
  const { vendor, knowledge_base_id, documents } = answer;
  const names = new Map((answer.knowledge_bases ?? []).map((base) => [`${base.vendor} ${base.knowledge_base_id}`, base.name]));
  return documents.map((row) => ({ vendor, knowledge_base_id, ...row }))
    .map((row) => ({ ...row, base: names.get(`${row.vendor} ${row.knowledge_base_id}`) }));
}

const named = ({ vendor, name }) => `${vendor} ${name}`;
const ref = ({ vendor, knowledge_base_id, document_id }) => ({ vendor, knowledge_base_id, document_id });

tell(vendors.filter((vendor) => !instructions.includes(vendor)).join(), 'the instructions name the connections');

let prices; // of find_documents
await ask('Is the price list searchable?', async (call) => {
  prices = rowsOf(await call('find_documents', { name_contains: '价格' }));
  return [
    prices.map((row) => `${named(row)} ${row.searchable === false ? (row.archived ? 'archived' : 'disabled') : row.status}`),
    ['coze 价格表2026.xlsx disabled', 'dify 价格表2026.xlsx disabled', 'dify 价格表2025.xlsx archived', 'ragflow 价格表2026.xlsx disabled', 'volcengine 价格表2026.xlsx completed'],
  ];
});

let failures;
await ask('Which knowledge bases have failures, and why?', async (call) => {
  failures = rowsOf(await call('find_unfinished_documents', { status: 'failed' }));
  const why = ['失败', 'rejected by content review', 'Unsupported file type', 'PDF is encrypted', 'timed out', 'URL is not valid', 'no question found', '99017'];
  return [
    failures.map((row) => `${row.vendor} ${row.base} ${why.find((text) => row.error.message.includes(text))}`),
    ['coze 产品手册 失败', 'coze Engineering Notes rejected by content review', 'dify 产品手册 Unsupported file type', 'ragflow 产品手册 PDF is encrypted',
      'volcengine product_manual timed out', 'volcengine product_manual URL is not valid', 'volcengine engineering_notes no question found', 'volcengine engineering_notes 99017'],
  ];
});

let engineering;
await ask('How many documents do the engineering bases have?', async (call) => {
  ({ knowledge_bases: engineering } = await call('list_knowledge_bases', { name_contains: 'engineering' }));
  return [engineering.map((base) => `${named(base)} ${base.document_count}`), ['coze Engineering Notes 7', 'dify Engineering Wiki 6', 'volcengine engineering_notes 9']];
});

await ask('Where is the contract?', async (call) => {
  const rows = rowsOf(await call('find_documents', { name_contains: '合同' }));
  return [rows.map((row) => `${named(row)} in ${row.base}`), ['coze 扫描件-合同.pdf in 产品手册', 'ragflow 扫描件-合同.pdf in 产品手册', 'volcengine 扫描件-合同.pdf in product_manual']];
});

await ask('Retry the failed ones.', async (call) => {
  const { vendors: connections } = await call('list_vendors', {});
  const able = connections.filter(({ capabilities }) => capabilities.includes('start_ingestion')).map(({ vendor }) => vendor);
  const learned = failures.filter((row) => !able.includes(row.vendor)).map((row) => `${named(row)}: ${row.error.hint ? 'told what to do' : 'no hint'}`);
  for (const row of failures.filter(({ vendor }) => able.includes(vendor))) {
    const { vendor, knowledge_base_id, document_id } = ref(row);
    const { results: [{ outcome }] } = await call('start_ingestion', { vendor, knowledge_base_id, document_ids: [document_id] });
    learned.push(`${named(row)}: ${outcome}`);
  }
  const others = ['coze 扫描件-合同.pdf', 'coze community-post.txt', 'dify setup.exe', 'volcengine 扫描件-合同.pdf', 'volcengine broken-link.docx', 'volcengine empty-faq.xlsx', 'volcengine odd-failure.pptx'];
  return [learned, ['ragflow 扫描件-合同.pdf: accepted', ...others.map((name) => `${name}: told what to do`)]];
});

let refunds;
await ask('What is said about refunds?', async (call) => {
  const answer = await call('search_knowledge_base', { query: '退款', limit: 3 });
  refunds = answer.hits.filter(({ content }) => content.includes('七天内可以无理由退款'));
  return [refunds.map((hit) => `${hit.vendor} ${hit.document_name}`), ['dify', 'ragflow', 'volcengine'].map((vendor) => `${vendor} 退款政策.pdf`)];
});

await ask('Is anything stuck?', async (call) => {
  const learned = [];
  for (const status of ['queued', 'processing']) { // suspected stalls come first
    const rows = rowsOf(await call('find_unfinished_documents', { status, limit: 4 }));
    learned.push(...rows.filter(({ stalled }) => stalled).map(named));
  }
  return [learned, ['coze changelog (refreshing)', 'dify api-limits.md', 'ragflow waiting-room.docx', 'volcengine waiting-room.docx']];
});

await ask('Is the engineering wiki done?', async (call) => {
  const { vendor, knowledge_base_id } = engineering.find(({ name }) => name === 'Engineering Wiki');
  const { documents, summary } = await call('get_ingestion_progress', { vendor, knowledge_base_id });
  return [[summary.done ? 'done' : 'not done', ...documents.map(({ name }) => name)], ['not done', 'api-limits.md', 'architecture-overview.pdf', 'legacy-import.csv']];
});

await ask('Which is the newest document of the manual?', async (call) => {
  const { vendor, knowledge_base_id } = prices.find((row) => row.vendor === 'dify');
  const rows = rowsOf(await call('list_documents', { vendor, knowledge_base_id, limit: 1 }), []);
  return [rows.map(({ name }) => name), ['用户反馈汇总.docx']];
});

await ask('How many documents are there in all?', async (call) => {
  const { knowledge_bases: bases } = await call('list_knowledge_bases', { limit: 100 });
  const count = (vendor) => bases.filter((base) => base.vendor === vendor).reduce((sum, base) => sum + base.document_count, 0);
  return [vendors.map((vendor) => `${vendor} ${count(vendor)}`), ['coze 17', 'dify 17', 'ragflow 18', 'volcengine 18']];
});

await ask('Which are switched off?', async (call) => {
  const rows = rowsOf(await call('find_documents', { enabled: false }));
  return [rows.map(named), ['coze', 'dify', 'ragflow'].map((vendor) => `${vendor} 价格表2026.xlsx`)];
});

await ask('Show the refund policy.', async (call) => {
  const { chunks } = await call('list_chunks', ref(refunds[0]));
  const text = chunks.map(({ content }) => content).join('');
  return [['七天内可以无理由退款', '客服审核', '定制商品不支持退款'].filter((part) => !text.includes(part)), []];
});

await session.close();
const over = Object.keys(most).filter((unit) => total[unit] > most[unit]).map((unit) => `at most ${most[unit]} ${unit}`).join(', ');
tell(over, `${String(total.calls).padStart(2)} calls ${String(total.bytes).padStart(6)} bytes  in all`);
process.exit(failed ? 1 : 0);
