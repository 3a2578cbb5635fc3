"""cozepy: every call about datasets, documents, images and files, also its asynchronous twin."""

import asyncio
import logging
from importlib.metadata import version

from cozepy import AsyncCoze, AsyncTokenAuth, Coze, CozeAPIError, TokenAuth
from cozepy.datasets import AsyncDatasetsClient, DatasetsClient
from cozepy.datasets.documents import (
    AsyncDatasetsDocumentsClient, DatasetsDocumentsClient, DocumentBase, DocumentChunkStrategy, DocumentFormatType, DocumentSourceInfo, DocumentUpdateRule)
from cozepy.datasets.images import AsyncDatasetsImagesClient, DatasetsImagesClient
from cozepy.files import AsyncFilesClient, FilesClient
from cozepy.knowledge.documents import AsyncDocumentsClient, DocumentsClient
from cozepy.workspaces import AsyncWorkspacesClient, WorkspacesClient

from calls import Calls, setting, until

logging.disable(logging.WARNING)  # it logs every refused request
calls = Calls(
    "cozepy", version("cozepy"), DatasetsClient, DatasetsDocumentsClient, DatasetsImagesClient, DocumentsClient, FilesClient, WorkspacesClient,
    AsyncDatasetsClient, AsyncDatasetsDocumentsClient, AsyncDatasetsImagesClient, AsyncDocumentsClient, AsyncFilesClient, AsyncWorkspacesClient)
base, space = setting("COZE_API_BASE"), setting("COZE_SPACE_ID")
auto, text, image = DocumentChunkStrategy.build_auto(), DocumentFormatType.DOCUMENT, DocumentFormatType.IMAGE
png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de")


def suite(word, coze, wait):
    """All calls of coze; wait makes a result of what a call gives."""

    def call(method, **kwargs):
        return wait(method(**kwargs))

    def rows(method, **kwargs):
        """Every row of a listing, over its pages."""
        paged = call(method, **kwargs)
        if word == "sync":
            return list(paged)

        async def collect():
            return [row async for row in paged]

        return wait(collect())

    datasets, documents, images, files = coze.datasets, coze.datasets.documents, coze.datasets.images, coze.files
    calls.tries(f"{word} workspaces.list", lambda: rows(coze.workspaces.list), lambda all: space in [w.id for w in all])
    calls.tries(f"{word} datasets.list, every one with its documents",
                lambda: [rows(documents.list, dataset_id=d.dataset_id) for d in rows(datasets.list, space_id=space, page_size=2)], lambda all: len(all) > 2)
    made = calls.tries(f"{word} datasets.create", lambda: call(datasets.create, name=f"made {word}", space_id=space, format_type=text, description="d"), lambda r: r.dataset_id)
    kb = made.dataset_id if made else "1"
    calls.tries(f"{word} datasets.update", lambda: call(datasets.update, dataset_id=kb, name=f"renamed {word}", description="other"))
    calls.tries(f"{word} datasets.list, by name", lambda: rows(datasets.list, space_id=space, name=f"renamed {word}", format_type=text),
                lambda all: [(d.dataset_id, d.description) for d in all] == [(kb, "other")])

    first = calls.tries(f"{word} documents.create, a file with its rule", lambda: call(documents.create, dataset_id=kb, chunk_strategy=auto, document_bases=[
        DocumentBase(name="one.txt", source_info=DocumentSourceInfo.build_local_file("The zebra.", "txt"))]), lambda d: d[0].document_id)
    calls.tries(f"{word} documents.create, later without", lambda: call(documents.create, dataset_id=kb, document_bases=[
        DocumentBase(name="two", source_info=DocumentSourceInfo.build_web_page("https://example.com/two"), update_rule=DocumentUpdateRule.build_auto_update(24))]),
        lambda d: d[0].document_id)
    file = calls.tries(f"{word} files.upload", lambda: call(files.upload, file=("three.txt", b"A third text.")), lambda f: f.id)
    calls.tries(f"{word} files.retrieve", lambda: call(files.retrieve, file_id=file.id), lambda f: (f.file_name, f.bytes) == ("three.txt", 13))
    calls.tries(f"{word} documents.create, an uploaded file", lambda: call(documents.create, dataset_id=kb, document_bases=[
        DocumentBase(name="three.txt", source_info=DocumentSourceInfo.build_file_id(file.id))]), lambda d: d[0].document_id)
    calls.tries(f"{word} documents.list", lambda: rows(documents.list, dataset_id=kb, page_size=2), lambda d: {x.name for x in d} == {"one.txt", "two", "three.txt"})
    one = first[0].document_id if first else "1"
    calls.tries(f"{word} documents.update", lambda: call(documents.update, document_id=one, document_name="renamed.txt"))
    calls.tries(f"{word} datasets.process, to the end", lambda: until(lambda: (p := call(datasets.process, dataset_id=kb, document_ids=[one]))[0].progress == 100 and p),
                lambda p: (p[0].document_id, p[0].document_name) == (one, "renamed.txt"))

    old = coze.knowledge.documents
    more = calls.tries(f"{word} knowledge.documents.create", lambda: call(old.create, dataset_id=kb, document_bases=[
        DocumentBase(name="old.txt", source_info=DocumentSourceInfo.build_local_file("The old way.", "txt"))]), lambda d: d[0].document_id)
    last = more[0].document_id if more else "1"
    calls.tries(f"{word} knowledge.documents.update", lambda: call(old.update, document_id=last, document_name="older.txt"))
    calls.tries(f"{word} knowledge.documents.list", lambda: rows(old.list, dataset_id=kb), lambda d: "older.txt" in [x.name for x in d])
    calls.tries(f"{word} knowledge.documents.delete", lambda: call(old.delete, document_ids=[last]))
    calls.tries(f"{word} documents.delete", lambda: call(documents.delete, document_ids=[one]))
    calls.tries(f"{word} documents are gone", lambda: rows(documents.list, dataset_id=kb), lambda d: {x.name for x in d} == {"two", "three.txt"})

    made = calls.tries(f"{word} datasets.create, for images", lambda: call(datasets.create, name=f"pictures {word}", space_id=space, format_type=image), lambda r: r.dataset_id)
    pictures = made.dataset_id if made else "1"
    upload = calls.tries(f"{word} files.upload, an image", lambda: call(files.upload, file=("cat.png", png)), lambda f: f.id)
    # The asynchronous create of cozepy 0.20.0 has no format_type.
    calls.tries(f"{word} documents.create, an image", lambda: plain.datasets.documents.create(
        dataset_id=pictures, format_type=image, chunk_strategy=DocumentChunkStrategy(caption_type=1), document_bases=[
            DocumentBase(name="cat.png", source_info=DocumentSourceInfo.build_file_id(upload.id))]), lambda d: d[0].document_id)
    cats = calls.tries(f"{word} images.list", lambda: rows(images.list, dataset_id=pictures), lambda p: [x.name for x in p] == ["cat.png"])
    cat = cats[0].document_id if cats else "1"
    calls.tries(f"{word} images.update", lambda: call(images.update, dataset_id=pictures, document_id=cat, caption="A striped cat."))
    calls.tries(f"{word} images.list, by keyword", lambda: rows(images.list, dataset_id=pictures, keyword="striped", has_caption=True), lambda p: [x.caption for x in p] == ["A striped cat."])
    calls.tries(f"{word} images.list, without caption", lambda: rows(images.list, dataset_id=pictures, has_caption=False), lambda p: p == [])
    for name, dataset in (("datasets.delete", kb), ("datasets.delete, of images", pictures)):
        calls.tries(f"{word} {name}", lambda: call(datasets.delete, dataset_id=dataset))
    calls.refused(f"{word} documents.list, deleted", lambda: rows(documents.list, dataset_id=kb), CozeAPIError)


plain = Coze(auth=TokenAuth(setting("COZE_API_TOKEN")), base_url=base)
suite("sync", plain, lambda result: result)
with asyncio.Runner() as runner:

    async def awaited(result):
        return await result if asyncio.iscoroutine(result) else result

    suite("async", AsyncCoze(auth=AsyncTokenAuth(setting("COZE_API_TOKEN")), base_url=base), lambda result: runner.run(awaited(result)))
calls.refused("with a wrong token", lambda: list(Coze(auth=TokenAuth("pat_wrong"), base_url=base).workspaces.list()), CozeAPIError)
calls.ends()
