"""ragflow-sdk, whichever release is on the path: every call about datasets, documents and chunks."""

import sys
from importlib.metadata import distributions

from ragflow_sdk import Chunk, DataSet, Document, RAGFlow

from calls import Calls, setting

release = next(d.version for d in distributions(path=sys.path) if d.metadata["Name"] == "ragflow-sdk")
left = {f"RAGFlow.{name}": "is about chats, agents or memories" for name in vars(RAGFlow) if any(word in name for word in ("chat", "agent", "memory", "message"))}
calls = Calls("ragflow-sdk", release, RAGFlow, DataSet, Document, Chunk, left=left, plumbing=("get", "post", "put", "delete", "patch", "rm", "to_json"))

rag = RAGFlow(setting("RAGFLOW_API_KEY"), setting("RAGFLOW_BASE_URL"))
name = f"made {release}"
kb = calls.tries("create_dataset", lambda: rag.create_dataset(name, description="d"), lambda d: d.name == name)
calls.refused("create_dataset, no name", lambda: rag.create_dataset(""), Exception)
calls.tries("list_datasets", lambda: rag.list_datasets(), lambda all: name in [d.name for d in all])
calls.tries("list_datasets, one id", lambda: rag.list_datasets(id=kb.id), lambda all: [d.id for d in all] == [kb.id])
calls.tries("get_dataset", lambda: rag.get_dataset(name), lambda d: d.id == kb.id)
calls.tries("DataSet.update", lambda: kb.update({"description": "other"}))
if hasattr(DataSet, "get_auto_metadata"):
    calls.tries("DataSet.get_auto_metadata", lambda: kb.get_auto_metadata(), lambda c: isinstance(c, dict))
    calls.tries("DataSet.update_auto_metadata", lambda: kb.update_auto_metadata(enabled=True, fields=[{"name": "author", "type": "string"}]))

docs = calls.tries("DataSet.upload_documents", lambda: kb.upload_documents([
    {"display_name": "one.txt", "blob": b"The zebra lives in Africa.\nIt has stripes."}, {"display_name": "two.txt", "blob": b"Nothing of note."}]), lambda d: len(d) == 2)
calls.tries("DataSet.list_documents", lambda: kb.list_documents(), lambda d: {x.name for x in d} == {"one.txt", "two.txt"})
calls.tries("DataSet.list_documents, keywords", lambda: kb.list_documents(keywords="one"), lambda d: [x.name for x in d] == ["one.txt"])
one, two = docs or (None, None)
calls.tries("DataSet.list_documents, one id", lambda: kb.list_documents(id=one.id), lambda d: [x.id for x in d] == [one.id])
calls.tries("Document.update", lambda: one.update({"name": "renamed.txt", "meta_fields": {"author": "a"}}))
calls.tries("the change shows", lambda: kb.list_documents(id=one.id), lambda d: d[0].name == "renamed.txt")
calls.tries("Document.download", lambda: one.download(), lambda b: b.startswith(b"The zebra"))
calls.tries("DataSet.async_parse_documents", lambda: kb.async_parse_documents([two.id]))
calls.tries("DataSet.async_cancel_parse_documents", lambda: kb.async_cancel_parse_documents([two.id]))
calls.tries("DataSet.parse_documents, waits", lambda: kb.parse_documents([one.id]), lambda done: done[0][1] == "DONE" and done[0][2] > 0)
calls.tries("Document.list_chunks", lambda: one.list_chunks(), lambda c: len(c) == 2 and "zebra" in c[0].content)
calls.tries("Document.list_chunks, keywords", lambda: one.list_chunks(keywords="stripes"), lambda c: len(c) == 1)
chunk = calls.tries("Document.add_chunk", lambda: one.add_chunk("A quagga is a zebra.", important_keywords=["quagga"], questions=["What is a quagga?"]),
                    lambda c: c.content == "A quagga is a zebra.")
calls.tries("Document.list_chunks, one id", lambda: one.list_chunks(id=chunk.id), lambda c: [x.id for x in c] == [chunk.id])
calls.tries("Chunk.update", lambda: chunk.update({"content": "A quagga was a zebra.", "important_keywords": ["extinct"]}))
calls.tries("the chunk's change shows", lambda: one.list_chunks(id=chunk.id), lambda c: c[0].content == "A quagga was a zebra.")
calls.tries("retrieve", lambda: rag.retrieve(dataset_ids=[kb.id], question="quagga"), lambda c: c[0].content == "A quagga was a zebra.")
calls.tries("retrieve, of one document", lambda: rag.retrieve(dataset_ids=[kb.id], document_ids=[one.id], question="zebra"), lambda c: len(c) == 2)
calls.tries("Document.delete_chunks", lambda: one.delete_chunks([chunk.id]))
calls.tries("the chunk is gone", lambda: one.list_chunks(), lambda c: len(c) == 2)
calls.tries("DataSet.delete_documents", lambda: kb.delete_documents(ids=[two.id]))
calls.tries("the document is gone", lambda: kb.list_documents(), lambda d: [x.id for x in d] == [one.id])
calls.tries("delete_datasets", lambda: rag.delete_datasets(ids=[kb.id]))
calls.refused("get_dataset, deleted", lambda: rag.get_dataset(name), Exception)
calls.ends()
