// @coze/api: every call about datasets, documents, images and files.
import { createReadStream, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APIError, CozeAPI } from '@coze/api';
import { Calls, setting } from './calls.mjs';

const { version } = JSON.parse(readFileSync('node_modules/@coze/api/package.json', 'utf8'));
const open = (token) => new CozeAPI({ token, baseURL: setting('COZE_API_BASE') });
const client = open(setting('COZE_API_TOKEN'));
const { datasets, files, workspaces } = client;
const { documents, images } = datasets;
const old = client.knowledge.documents;
const calls = new Calls('@coze/api', version, {
  datasets, 'datasets.documents': documents, 'datasets.images': images, 'knowledge.documents': old, files, workspaces,
}, { 'knowledge.documents.list': 'is deprecated and sends a GET, where the platform documents a POST' });
const folder = mkdtempSync(join(tmpdir(), 'coze-'));
const stream = (name, content) => {
  writeFileSync(join(folder, name), content);
  return createReadStream(join(folder, name));
};
const space = setting('COZE_SPACE_ID');
const base64 = (text) => Buffer.from(text).toString('base64');
const names = (rows) => rows.map((row) => row.name).sort().join(' ');

await calls.tries('workspaces.list', () => workspaces.list(), (r) => r.workspaces.some((w) => w.id === space));
await calls.tries('datasets.list, every one with its documents', async () => {
  const { dataset_list: all } = await datasets.list({ space_id: space, page_size: 100 });
  return Promise.all(all.map((d) => documents.list({ dataset_id: d.dataset_id, page: 1, page_size: 50 })));
}, (all) => all.length > 2 && all.some((list) => list.document_infos.length > 0));
const kb = (await calls.tries('datasets.create', () => datasets.create({ name: 'made node', space_id: space, format_type: 0 }), (r) => r.dataset_id))?.dataset_id ?? '1';
await calls.tries('datasets.update', () => datasets.update(kb, { name: 'renamed node', description: 'other' }));
await calls.tries('datasets.list, by name', () => datasets.list({ space_id: space, name: 'renamed node' }), (r) => r.dataset_list[0].description === 'other');

const made = await calls.tries('documents.create, a file with its rule', () => documents.create({
  dataset_id: kb, chunk_strategy: { chunk_type: 0 },
  document_bases: [{ name: 'one.txt', source_info: { file_base64: base64('The zebra.'), file_type: 'txt' } }],
}), (d) => d[0].document_id);
await calls.tries('documents.create, later without', () => documents.create({
  dataset_id: kb, document_bases: [{ name: 'two', source_info: { web_url: 'https://example.com/two', document_source: 1 }, update_rule: { update_type: 1, update_interval: 24 } }],
}), (d) => d[0].document_id);
const file = await calls.tries('files.upload', () => files.upload({ file: stream('three.txt', 'A third text.') }), (f) => f.id);
await calls.tries('files.retrieve', () => files.retrieve(file.id), (f) => f.file_name === 'three.txt' && f.bytes === 13);
await calls.tries('documents.create, an uploaded file', () => documents.create({
  dataset_id: kb, document_bases: [{ name: 'three.txt', source_info: { source_file_id: file.id, document_source: 5 } }],
}), (d) => d[0].document_id);
await calls.tries('documents.list', () => documents.list({ dataset_id: kb }), (r) => names(r.document_infos) === 'one.txt three.txt two');
const one = made?.[0].document_id ?? '1';
await calls.tries('documents.update', () => documents.update({ document_id: one, document_name: 'renamed.txt' }));
await calls.tries('datasets.process', () => datasets.process(kb, { document_ids: [one] }), (r) => r.data[0].document_name === 'renamed.txt');

const more = await calls.tries('knowledge.documents.create', () => old.create({
  dataset_id: kb, document_bases: [{ name: 'old.txt', source_info: { file_base64: base64('The old way.'), file_type: 'txt' } }],
}), (d) => d[0].document_id);
const last = more?.[0].document_id ?? '1';
await calls.tries('knowledge.documents.update', () => old.update({ document_id: last, document_name: 'older.txt' }));
await calls.tries('knowledge.documents.update shows', () => documents.list({ dataset_id: kb }), (r) => names(r.document_infos).includes('older.txt'));
await calls.tries('knowledge.documents.delete', () => old.delete({ document_ids: [last] }));
await calls.tries('documents.delete', () => documents.delete({ document_ids: [one] }));

const pictures = (await calls.tries('datasets.create, for images', () => datasets.create({ name: 'pictures node', space_id: space, format_type: 2 }), (r) => r.dataset_id))?.dataset_id ?? '1';
const upload = await calls.tries('files.upload, an image', () => files.upload({ file: stream('cat.png', Buffer.from('iVBORw0KGgo=', 'base64')) }), (f) => f.id);
await calls.tries('documents.create, an image', () => documents.create({
  dataset_id: pictures, format_type: 2, chunk_strategy: { chunk_type: 0, caption_type: 1 },
  document_bases: [{ name: 'cat.png', source_info: { source_file_id: upload.id, document_source: 5 } }],
}), (d) => d[0].document_id);
const cats = await calls.tries('images.list', () => images.list(pictures), (r) => r.total_count === 1 && names(r.photo_infos) === 'cat.png');
await calls.tries('images.update', () => images.update(pictures, cats?.photo_infos[0].document_id ?? '1', { caption: 'A striped cat.' }));
await calls.tries('images.list, by keyword', () => images.list(pictures, { keyword: 'striped', has_caption: true }), (r) => r.photo_infos[0].caption === 'A striped cat.');
await calls.tries('datasets.delete', () => Promise.all([kb, pictures].map((id) => datasets.delete(id))));
await calls.refused('documents.list, deleted', () => documents.list({ dataset_id: kb }), APIError);
await calls.refused('with a wrong token', () => open('pat_wrong').workspaces.list(), APIError);
calls.ends();
