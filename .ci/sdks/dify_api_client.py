"""dify-api-client: every call about knowledge of its client; its models judge the shapes."""

import asyncio
import sys
from importlib.metadata import distributions

from dify_client import AsyncDifyClient, DifyClient, models
from dify_client.errors import DifyAPIError

from calls import Calls, setting, until

release = next(d.version for d in distributions(path=sys.path) if d.metadata["Name"] == "dify-api-client")
knowledge = ("chunk", "segment", "document", "metadata")
left = {f"{cls.__name__}.{name}": "is about apps" for cls in (DifyClient, AsyncDifyClient) for name in vars(cls) if not any(word in name for word in knowledge)}
calls = Calls("dify-api-client", release, DifyClient, AsyncDifyClient, left=left)
key, base = setting("DIFY_API_KEY"), setting("DIFY_BASE_URL")
client = DifyClient(api_key=key, api_base=base)
rule = models.ProcessRule(mode="automatic")


def new(name):
    """A knowledge base; the library cannot make one."""
    return client.request(f"{base}/datasets", "POST", json={"name": name}).json()["id"]


kb = new("made by the models")
# Its models want keywords, which Dify gives in economy knowledge bases (null in others).
text = models.CreateDocumentByTextRequest(name="one", text="The zebra lives in Africa.\n\nIt has stripes.", indexing_technique="economy", process_rule=rule)
one = calls.tries("create_document_by_text", lambda: client.create_document_by_text(kb, text), lambda r: r.document.id and r.batch)
doc = one.document.id if one else "0"
calls.tries("create_document_by_file", lambda: client.create_document_by_file(
    kb, ("two.txt", b"A second text.", "text/plain"), models.CreateDocumentByFileRequest(indexing_technique="economy", process_rule=rule)), lambda r: r.document.name == "two.txt")
calls.tries("get_documents", lambda: until(lambda: (r := client.get_documents(kb)) and {d.indexing_status for d in r.data} == {"completed"} and r), lambda r: r.total == 2)
added = calls.tries("add_chunk_to_document", lambda: client.add_chunk_to_document(kb, doc, models.AddChunkToDocumentRequest(
    segments=[models.Segment(content="A quagga is a zebra.", keywords=["quagga"])])), lambda r: r.data[0].keywords == ["quagga"])
segment = added.data[0].id if added else "0"
calls.tries("get_segments", lambda: client.get_segments(kb, doc, models.GetSegmentsRequest(keyword="quagga", status="completed")), lambda r: [s.id for s in r.data] == [segment])
calls.tries("update_segment", lambda: client.update_segment(kb, doc, segment, models.UpdateSegmentRequest(content="A quagga was a zebra.")),
            lambda r: r.data.content == "A quagga was a zebra.")
field = calls.tries("create_document_metadata", lambda: client.create_document_metadata(kb, models.CreateDocumentMetadataRequest(type="string", name="author")), lambda r: r.id)
calls.tries("get_metadata_list", lambda: client.get_metadata_list(kb), lambda r: "author" in [f.name for f in r.doc_metadata])
calls.tries("update_document_metadata", lambda: client.update_document_metadata(kb, models.UpdateDocumentMetadataRequest(operation_data=[
    models.DocumentMetadataOperationData(document_id=doc, metadata_list=[models.DocumentMetadataUpdate(id=field.id, name="author", value="somebody")])])))


async def twins():
    """The asynchronous ones."""
    other = AsyncDifyClient(api_key=key, api_base=base)
    return (await other.acreate_document_by_text(kb, text.model_copy(update={"name": "three"})),
            await other.aget_segments(kb, doc, models.GetSegmentsRequest()),
            await other.aupdate_segment(kb, doc, segment, models.UpdateSegmentRequest(content="A quagga was a zebra, once.")))


calls.tries("the asynchronous ones", lambda: asyncio.run(twins()), lambda r: r[2].data.content == "A quagga was a zebra, once.")
calls.refused("get_documents, unknown base", lambda: client.get_documents("00000000-0000-4000-8000-000000000000"), DifyAPIError)
calls.ends()
