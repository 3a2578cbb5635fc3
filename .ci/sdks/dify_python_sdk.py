"""dify-python-sdk: every call of its KnowledgeBaseClient."""

import os
import tempfile
from importlib.metadata import version

from dify_client.client import KnowledgeBaseClient
from dify_client.exceptions import DifyClientError

from calls import Calls, setting, until

left = {f"KnowledgeBaseClient.{name}": why for why, names in {
    "is not a call of Dify's": ("create_dataset_from_template", "duplicate_dataset"),
    "runs a workflow": ("get_datasource_plugins", "run_datasource_node", "run_rag_pipeline", "upload_pipeline_file"),
    "is about apps": ("list_conversation_variables_with_pagination", "update_conversation_variable_with_response"),
}.items() for name in names}
calls = Calls("dify-python-sdk", version("dify-python-sdk"), KnowledgeBaseClient, left=left)
key, base = setting("DIFY_API_KEY"), setting("DIFY_BASE_URL")
client = KnowledgeBaseClient(key, base)


def json(response, status=200):
    """The body of an answer of this status."""
    if response.status_code != status:
        raise AssertionError(f"HTTP {response.status_code}: {response.text[:200]}")
    return response.json() if response.content else None


made = calls.tries("create_dataset", lambda: json(client.create_dataset("made by the library")), lambda d: d["id"])
client.dataset_id = made["id"] if made else "0"
calls.tries("list_datasets", lambda: json(client.list_datasets(page_size=100)), lambda r: client.dataset_id in [d["id"] for d in r["data"]])
calls.tries("get_dataset", lambda: json(client.get_dataset()), lambda d: d["name"] == "made by the library")
calls.tries("update_dataset", lambda: json(client.update_dataset(name="renamed", description="d")), lambda d: (d["name"], d["description"]) == ("renamed", "d"))
one = calls.tries("create_document_by_text", lambda: json(client.create_document_by_text("one", "The zebra lives in Africa.\n\nIt has stripes.")),
                  lambda r: r["document"]["id"] and r["batch"])
doc, batch = (one["document"]["id"], one["batch"]) if one else ("0", "0")
calls.tries("batch_indexing_status, to the end", lambda: until(lambda: (d := json(client.batch_indexing_status(batch))["data"])[0]["indexing_status"] == "completed" and d), bool)
calls.tries("update_document_by_text", lambda: json(client.update_document_by_text(doc, "one", "The zebra lives in Africa.\n\nIt has many stripes.")), lambda r: r["document"]["id"] == doc)
path = os.path.join(tempfile.mkdtemp(), "two.txt")
with open(path, "w") as file:
    file.write("A second text.")
two = calls.tries("create_document_by_file", lambda: json(client.create_document_by_file(path)), lambda r: r["document"]["name"] == "two.txt")


def ready():
    """Dify gives new content to nothing that is not completed."""
    return until(lambda: all(d["indexing_status"] == "completed" for d in json(client.list_documents())["data"]))


ready()
calls.tries("create_document_by_file, in place of another", lambda: json(client.create_document_by_file(path, original_document_id=two["document"]["id"])),
            lambda r: r["document"]["id"] == two["document"]["id"])
ready()
calls.tries("update_document_by_file", lambda: json(client.update_document_by_file(two["document"]["id"], path)), lambda r: r["document"]["id"] == two["document"]["id"])
calls.tries("list_documents", lambda: json(client.list_documents(page=1, page_size=20)), lambda r: r["total"] == 2)
calls.tries("list_documents, keyword", lambda: json(client.list_documents(keyword="two")), lambda r: [d["name"] for d in r["data"]] == ["two.txt"])
calls.tries("ingestion ends", lambda: until(lambda: all(d["indexing_status"] == "completed" for d in json(client.list_documents())["data"])), bool)

added = calls.tries("add_segments", lambda: json(client.add_segments(doc, [{"content": "A quagga is a zebra.", "answer": "", "keywords": ["quagga"]}])), lambda r: r["data"][0]["id"])
segment = added["data"][0]["id"] if added else "0"
calls.tries("query_segments", lambda: json(client.query_segments(doc)), lambda r: segment in [s["id"] for s in r["data"]])
calls.tries("query_segments, keyword and status", lambda: json(client.query_segments(doc, keyword="quagga", status="completed")), lambda r: [s["id"] for s in r["data"]] == [segment])
calls.tries("update_document_segment", lambda: json(client.update_document_segment(doc, segment, {"content": "A quagga was a zebra.", "enabled": True})),
            lambda r: r["data"]["content"] == "A quagga was a zebra.")
calls.tries("hit_testing", lambda: json(client.hit_testing("quagga")), lambda r: r["records"][0]["segment"]["content"] == "A quagga was a zebra.")
calls.tries("delete_document_segment", lambda: json(client.delete_document_segment(doc, segment), 204), lambda r: r is None)

field = calls.tries("create_dataset_metadata", lambda: json(client.create_dataset_metadata({"type": "string", "name": "author"}), 201), lambda r: r["id"])
calls.tries("get_dataset_metadata", lambda: json(client.get_dataset_metadata()), lambda r: "author" in [f["name"] for f in r["doc_metadata"]])
calls.tries("update_dataset_metadata", lambda: json(client.update_dataset_metadata(field["id"], {"name": "writer"})), lambda r: r["name"] == "writer")
calls.tries("update_documents_metadata", lambda: json(client.update_documents_metadata([{
    "document_id": doc, "metadata_list": [{"id": field["id"], "name": "writer", "value": "somebody"}]}])))
calls.tries("get_built_in_metadata", lambda: json(client.get_built_in_metadata()), lambda r: r["fields"])
calls.tries("manage_built_in_metadata", lambda: [client.manage_built_in_metadata(action).status_code for action in ("enable", "disable")],
            lambda codes: set(codes) <= {200, 204})


def switched(action):
    """Switches a document; false while Dify is still busy with it."""
    try:
        return json(client.batch_update_document_status(action, [doc]))["result"] == "success"
    except DifyClientError as error:
        if "is being indexed" in str(error):
            return False
        raise


for action in ("disable", "enable", "archive", "un_archive"):
    calls.tries(f"batch_update_document_status, {action}", lambda: until(lambda: switched(action)), bool)
# The library cannot make a tag.
tag = calls.tries("a tag to bind", lambda: json(client._send_request("POST", "/datasets/tags", {"name": "animals"})), lambda r: r["id"])
calls.tries("list_dataset_tags", lambda: json(client.list_dataset_tags()), lambda r: "animals" in [t["name"] for t in r])
calls.tries("bind_dataset_tags", lambda: client.bind_dataset_tags([tag["id"]]).status_code, lambda code: code in (200, 204))
calls.tries("get_dataset_tags", lambda: json(client.get_dataset_tags()), lambda r: [t["name"] for t in r["data"]] == ["animals"])
calls.tries("unbind_dataset_tag", lambda: client.unbind_dataset_tag(tag["id"]).status_code, lambda code: code in (200, 204))
calls.tries("delete_document", lambda: json(client.delete_document(doc), 204), lambda r: r is None)
calls.tries("delete_dataset", lambda: json(client.delete_dataset(), 204), lambda r: r is None)
calls.refused("list_documents, deleted", lambda: json(client.list_documents()), DifyClientError)
calls.refused("with a wrong key", lambda: json(KnowledgeBaseClient("dataset-wrong", base).list_datasets()), DifyClientError)
calls.ends()
