"""volcengine's VikingKnowledgeBaseService and its Collection: every knowledge call, also its asynchronous twin."""

import asyncio
from importlib.metadata import version

from volcengine.viking_knowledgebase import Collection, VikingKnowledgeBaseService
from volcengine.viking_knowledgebase.common import CollectionVersion
from volcengine.viking_knowledgebase.exception import CollectionExistException, CollectionNotExistException, DocNotExistException, PointNotExistException

from calls import Calls, setting, until

left = {f"VikingKnowledgeBaseService.{name}": "asks a language model" for name in (
    "chat_completion", "async_chat_completion", "search_and_generate", "async_search_and_generate", "rerank", "async_rerank")}
calls = Calls("volcengine", version("volcengine"), VikingKnowledgeBaseService, Collection, left=left, plumbing=(
    "setHeader", "get_body", "async_json", "get_body_exception", "get_exception", "json", "json_exception", "async_json_exception"))

service = calls.tries("constructor, which pings", lambda: VikingKnowledgeBaseService(
    host=setting("SANDBOX_HOST"), ak=setting("VOLCENGINE_ACCESS_KEY"), sk=setting("VOLCENGINE_SECRET_KEY")))


def suite(word, call):
    """All calls by call(object, method, ...), which may be the asynchronous ones."""
    name = f"made_{word}"
    kb = calls.tries(f"{word} create_collection", lambda: call(service, "create_collection", name, CollectionVersion.UltimateVersion, description="d", index={
        "index_type": "hnsw_hybrid", "index_config": {"fields": [{"field_name": "year", "field_type": "int64", "default_val": 0}]}}), lambda c: c.resource_id)
    calls.refused(f"{word} create_collection, taken", lambda: call(service, "create_collection", name, CollectionVersion.UltimateVersion), CollectionExistException)
    calls.tries(f"{word} list_collections", lambda: call(service, "list_collections"), lambda all: name in [c.collection_name for c in all])
    calls.tries(f"{word} list_collections, brief", lambda: call(service, "list_collections", project="default", brief=True), lambda all: len(all) > 2)
    calls.tries(f"{word} update_collection", lambda: call(service, "update_collection", name, description="other"))
    kb = calls.tries(f"{word} get_collection", lambda: call(service, "get_collection", name),
                     lambda c: c.description == "other" and [f.field_name for f in c.fields] == ["doc_id", "year"]) or kb
    calls.tries(f"{word} list_docs of an empty base", lambda: call(kb, "list_docs"), lambda docs: docs == [])
    calls.tries(f"{word} list_points of an empty base", lambda: call(kb, "list_points"), lambda points: points == [])

    one, year = f"{word}_one", [{"field_name": "year", "field_type": "int64", "field_value": 2026}]
    calls.tries(f"{word} add_doc, url", lambda: call(kb, "add_doc", "url", doc_id=one, doc_name="one.md", doc_type="markdown",
                                                     url=f"https://files.example.com/{word}/one.md", meta=year))
    calls.tries(f"{word} add_doc, url and dedup", lambda: call(kb, "add_doc", "url", doc_id=one + "_twin", doc_name="twin.md", doc_type="markdown",
                                                               url=f"https://files.example.com/{word}/one.md", dedup={"content_dedup": True, "auto_skip": True}))
    calls.tries(f"{word} add_doc, tos", lambda: call(kb, "add_doc", "tos", tos_path=f"bucket/{word}/two.pdf"))
    calls.tries(f"{word} add_doc, lark", lambda: call(kb, "add_doc", "lark", doc_id=f"{word}_lark", doc_type="wiki", lark_file={"url": "https://example.feishu.cn/wiki/x"}))
    calls.tries(f"{word} list_docs", lambda: call(kb, "list_docs"), lambda docs: len(docs) == 3)
    calls.tries(f"{word} list_docs, filtered", lambda: call(kb, "list_docs", filter={"doc_id_list": [one]}), lambda docs: [d.doc_id for d in docs] == [one])
    calls.tries(f"{word} update_meta", lambda: call(kb, "update_meta", one, [{"field_name": "year", "field_type": "int64", "field_value": 2027}]))
    calls.tries(f"{word} update_doc", lambda: call(kb, "update_doc", one, "renamed.md"))
    calls.tries(f"{word} get_doc", lambda: until(lambda: (d := call(kb, "get_doc", one)).status["process_status"] == 0 and d),
                lambda d: d.doc_name == "renamed.md" and d.fields[0].field_val == 2027)
    calls.refused(f"{word} get_doc, unknown", lambda: call(kb, "get_doc", "nope"), DocNotExistException)

    calls.tries(f"{word} add_point", lambda: call(kb, "add_point", one, "faq", content="It is a zebra.", question="What is it?"))
    points = calls.tries(f"{word} list_points", lambda: call(kb, "list_points", doc_ids=[one]), lambda p: len(p) == 3) or [None]
    at = points[-1].point_id if points[-1] else "nope"
    calls.tries(f"{word} list_points by ids", lambda: call(kb, "list_points", point_ids=[at]), lambda p: [x.point_id for x in p] == [at])
    calls.tries(f"{word} update_point", lambda: call(kb, "update_point", at, content="It is a striped zebra."))
    calls.tries(f"{word} get_point", lambda: call(kb, "get_point", at), lambda p: p.content == "It is a striped zebra." and p.original_question == "What is it?")
    calls.tries(f"{word} search_collection", lambda: until(lambda: call(service, "search_collection", name, "zebra", rerank_switch=True)),
                lambda p: p[0].point_id == at and p[0].rerank_score is not None)
    calls.tries(f"{word} search_knowledge", lambda: call(service, "search_knowledge", name, "zebra", pre_processing={"need_instruction": True}, query_param={
        "doc_filter": {"op": "must", "field": "year", "conds": [2027]}}), lambda r: r["result_list"][0]["point_id"] == at)
    calls.tries(f"{word} delete_point", lambda: call(kb, "delete_point", at))
    calls.refused(f"{word} get_point, deleted", lambda: call(kb, "get_point", at), PointNotExistException)
    calls.tries(f"{word} delete_doc", lambda: call(kb, "delete_doc", one))
    calls.tries(f"{word} drop_collection", lambda: call(service, "drop_collection", name))
    calls.refused(f"{word} get_collection, dropped", lambda: call(service, "get_collection", name), CollectionNotExistException)


if service:
    suite("sync", lambda target, method, *args, **kwargs: getattr(target, method)(*args, **kwargs))
    suite("async", lambda target, method, *args, **kwargs: asyncio.run(getattr(target, "async_" + method)(*args, **kwargs)))
calls.ends()
