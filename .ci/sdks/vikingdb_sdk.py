"""vikingdb-python-sdk: every call of knowledge.KnowledgeCollection, signed and with an API key."""

from importlib.metadata import version

from vikingdb import IAM, APIKey
from vikingdb.knowledge import VikingKnowledge
from vikingdb.knowledge.collection import KnowledgeCollection
from vikingdb.knowledge.exceptions import VikingKnowledgeException
from vikingdb.knowledge.models.doc import (
    AddDocRequest, AddDocV2Request, DedupOptions, LarkFile, ListDocsFilter, ListDocsRequest, ListDocsV2Request, MetaItem, SearchDocsByFilterRequest)
from vikingdb.knowledge.models.point import AddPointRequest, DeletePointRequest, ListPointsRequest, UpdatePointRequest
from vikingdb.knowledge.models.search import SearchCollectionRequest, SearchKnowledgeRequest

from calls import Calls, setting, until

calls = Calls("vikingdb-python-sdk", version("vikingdb-python-sdk"), KnowledgeCollection)

host = setting("SANDBOX_HOST")
client = VikingKnowledge(host=host, auth=IAM(ak=setting("VOLCENGINE_ACCESS_KEY"), sk=setting("VOLCENGINE_SECRET_KEY")))
kb = client.collection(collection_name="product_manual", project_name="default")

seeds = calls.tries("list_docs", lambda: kb.list_docs(ListDocsRequest()), lambda r: len(r.result.doc_list) == r.result.count > 0)
calls.tries("list_docs, one type", lambda: kb.list_docs(ListDocsRequest(doc_type="pdf")),
            lambda r: r.result.doc_list and all(d.doc_type == "pdf" for d in r.result.doc_list))
calls.tries("list_docs, one id", lambda: kb.list_docs(ListDocsRequest(filter=ListDocsFilter(doc_id_list=[seeds.result.doc_list[0].doc_id]))),
            lambda r: len(r.result.doc_list) == 1)


def pages():
    rows, token = [], None
    while True:
        page = kb.list_docs_v2(ListDocsV2Request(limit=3, next_token=token)).result
        rows += page.doc_list
        if not page.has_more:
            return rows
        token = page.next_token


calls.tries("list_docs_v2, to the end", pages, lambda rows: len({d.doc_id for d in rows}) == len(rows) == seeds.result.total_num)
calls.tries("get_doc", lambda: kb.get_doc(seeds.result.doc_list[0].doc_id), lambda d: d.create_time > 1e12)
calls.refused("get_doc, unknown", lambda: kb.get_doc("nope"), VikingKnowledgeException)

empty = client.collection(collection_name="empty_base")
calls.tries("list_docs of an empty base", lambda: empty.list_docs(ListDocsRequest()), lambda r: len(r.result.doc_list) == 0)
calls.tries("list_docs_v2 of an empty base", lambda: empty.list_docs_v2(ListDocsV2Request()), lambda r: len(r.result.doc_list) == 0)
calls.tries("list_points of an empty base", lambda: empty.list_points(ListPointsRequest()), lambda r: len(r.result.point_list) == 0)
calls.tries("search_knowledge of an empty base", lambda: empty.search_knowledge(SearchKnowledgeRequest(query="x")), lambda r: r.result.result_list == [])

mine = client.collection(collection_name="engineering_notes")
calls.tries("add_doc_v2", lambda: mine.add_doc_v2(AddDocV2Request(
    doc_id="v_one", doc_name="one.md", uri="https://files.example.com/v/one.md", tag_list=[MetaItem(field_name="n", field_type="int64", field_value=1)])),
    lambda r: r.result.doc_id == "v_one")
calls.refused("add_doc_v2, the same content", lambda: mine.add_doc_v2(AddDocV2Request(doc_id="v_two", uri="https://files.example.com/v/one.md")),
              VikingKnowledgeException)
calls.tries("add_doc, url and dedup", lambda: mine.add_doc(AddDocRequest(
    add_type="url", doc_id="v_three", doc_type="markdown", url="https://files.example.com/v/one.md", dedup=DedupOptions(content_dedup=True, auto_skip=True))),
    lambda r: r.result.dedup_info.skip and r.result.dedup_info.same_doc_ids == ["v_one"])
calls.tries("add_doc, tos", lambda: mine.add_doc(AddDocRequest(add_type="tos", tos_path="bucket/v/two.pdf")), lambda r: r.result.doc_id)
lark = calls.tries("add_doc, lark", lambda: mine.add_doc(AddDocRequest(add_type="lark", lark_file=LarkFile(url="https://example.feishu.cn/wiki/v", obj_type="wiki"))),
                   lambda r: r.result.doc_id)
calls.tries("update_doc", lambda: mine.update_doc("v_one", "renamed.md"), lambda r: r.code == 0)
calls.tries("update_doc_meta", lambda: mine.update_doc_meta("v_one", [MetaItem(field_name="doc", field_type="string", field_value="a")]), lambda r: r.code == 0)
calls.tries("the changes show", lambda: mine.get_doc("v_one"), lambda d: d.doc_name == "renamed.md" and '"doc"' in d.meta)
calls.tries("ingestion ends", lambda: until(lambda: mine.get_doc("v_one").status.process_status == 0), bool)
calls.tries("search_docs_by_filter", lambda: mine.search_docs_by_filter(SearchDocsByFilterRequest(filter={"op": "must", "field": "doc_id", "conds": ["v_one"]})),
            lambda r: [d.doc_id for d in r.result.doc_list] == ["v_one"])

point = calls.tries("add_point", lambda: mine.add_point(AddPointRequest(doc_id="v_one", chunk_type="text", content="A zebra.", chunk_title="Z")),
                    lambda r: r.result.point_id)
at = point.result.point_id if point else "nope"
calls.tries("get_point", lambda: mine.get_point(at), lambda p: p.content == "A zebra." and p.chunk_title == "Z")
calls.tries("update_point", lambda: mine.update_point(at, UpdatePointRequest(content="A striped zebra.")), lambda r: r.code == 0)
calls.tries("list_points of a document", lambda: mine.list_points(ListPointsRequest(doc_ids=["v_one"])), lambda r: len(r.result.point_list) == r.result.count == 3)
calls.tries("list_points by ids", lambda: mine.list_points(ListPointsRequest(point_ids=[at])), lambda r: [p.content for p in r.result.point_list] == ["A striped zebra."])
calls.tries("search_knowledge", lambda: mine.search_knowledge(SearchKnowledgeRequest(query="zebra", post_processing={"rerank_switch": True})),
            lambda r: r.result.result_list[0].point_id == at and r.result.result_list[0].rerank_score is not None)
calls.tries("search_collection", lambda: mine.search_collection(SearchCollectionRequest(query="zebra")), lambda r: r.result.result_list[0].point_id == at)
calls.tries("delete_point", lambda: mine.delete_point(DeletePointRequest(point_id=at)), lambda r: r.code == 0)
calls.refused("get_point, deleted", lambda: mine.get_point(at), VikingKnowledgeException)
calls.tries("delete_doc", lambda: mine.delete_doc("v_one"), lambda r: r.code == 0)

keyed = VikingKnowledge(host=host, auth=APIKey(api_key=setting("VOLCENGINE_API_KEY"))).collection(collection_name="product_manual")
calls.tries("with an API key", lambda: keyed.list_docs(ListDocsRequest()), lambda r: r.code == 0)
wrong = VikingKnowledge(host=host, auth=IAM(ak=setting("VOLCENGINE_ACCESS_KEY"), sk="wrong")).collection(collection_name="product_manual")
calls.refused("with a wrong secret", lambda: wrong.list_docs(ListDocsRequest()), VikingKnowledgeException)
calls.ends()
