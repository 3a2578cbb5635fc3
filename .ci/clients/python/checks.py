"""What the scripts of this folder share: one line per check, and the real binary."""

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
import threading
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

KB = os.environ.get("KB_MCP") or sys.exit("KB_MCP is not set: start the checks with .ci/clients/run")
ENV = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "KB_MCP_ALLOW_WRITES": "true"}
DEMO, QUIET = ["stdio", "--demo"], {**ENV, "KB_MCP_LOG_LEVEL": "error"}
failed = False


async def check(name, run, seconds=60):
    """Runs one check and prints its line; the value, or None when it failed."""
    global failed
    try:
        value = await asyncio.wait_for(run(), seconds)
        print(f"ok {name}", flush=True)
        return value
    except BaseException as error:  # exception groups too
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        failed = True
        print(f"FAIL {name}: {' '.join(why(error).split())[:600]}", flush=True)
        return None


def why(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def listed():
    """The tools that `kb-mcp tools` prints with writes on, by name."""
    out = subprocess.run([KB, "tools"], env=ENV, capture_output=True, text=True, timeout=10, check=True).stdout
    return {tool["name"]: tool for tool in json.loads(out)["tools"]}


class Server:
    """`kb-mcp http --demo` on a free port."""

    def __enter__(self):
        self.process = subprocess.Popen([KB, "http", "--demo", "--addr", "127.0.0.1:0"], env=ENV, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"msg=listening.* addr=(\S+)", line):
                self.url = f"http://{found[1]}"
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return self
        raise RuntimeError("kb-mcp http did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=5)


def expect(true, what):
    if not true:
        raise AssertionError(str(what)[:500])


# What every client must be able to do with `session`, an object with
#   tools()            the names of the tools
#   call(name, args, progress=None)   (is_error, structured content, text)
async def session(name, open_session):
    async def lists():
        async with open_session() as s:
            names = await s.tools()
            expect(sorted(names) == sorted(listed()), names)

    async def calls():
        async with open_session() as s:
            error, content, text = await s.call("list_knowledge_bases", {"vendor": "dify"})
            expect(not error and json.loads(text) == content, text)
            base = next(b for b in content["knowledge_bases"] if b.get("document_count") and b.get("enabled") is not False)
            _, content, text = await s.call("list_documents", {"vendor": "dify", "knowledge_base_id": base["knowledge_base_id"], "limit": 3})
            expect(content["documents"] and json.loads(text) == content, text)

    async def errors():
        async with open_session() as s:
            error, _, text = await s.call("list_documents", {"vendor": "dify", "knowledge_base_id": "00000000-0000-4000-8000-000000000000"})
            expect(error and json.loads(text)["error"]["kind"] == "not_found", text)
            error, _, text = await s.call("list_documents", {"vendor": "nope", "knowledge_base_id": "x"})
            expect(error and json.loads(text)["error"]["kind"] == "invalid_argument", text)

    async def writes():
        async with open_session() as s:
            error, content, text = await s.call("create_knowledge_base", {"vendor": "ragflow", "name": f"made by {name}"})
            expect(not error and content["knowledge_base"]["name"] == f"made by {name}", text)

    async def waits():
        seen = []
        async with open_session() as s:
            _, content, _ = await s.call("find_unfinished_documents", {"vendor": "dify"})
            row = next(d for d in content["documents"] if d["status"] in ("queued", "processing"))
            base = row.get("knowledge_base_id") or content.get("knowledge_base_id")
            error, content, text = await s.call("wait_for_ingestion", {
                "vendor": "dify", "knowledge_base_id": base, "document_ids": [row["document_id"]], "timeout_seconds": 2}, progress=seen.append)
            expect(not error and content["summary"]["total"] == 1, text)
            expect(seen or not s.progresses, "no progress was notified")

    await check(f"{name}: tools/list", lists)
    await check(f"{name}: calls", calls)
    await check(f"{name}: errors are results", errors)
    await check(f"{name}: a write", writes)
    await check(f"{name}: wait_for_ingestion notifies", waits)


async def prompts(name, open_session):
    """Every prompt is got and its arguments are completed. A session has
    prompts() the names, prompt(name, args) the text, complete(prompt, argument, typed) the values."""

    async def gets():
        async with open_session() as s:
            names = await s.prompts()
            expect(sorted(names) == ["answer_from_knowledge_base", "check_uploads", "explain_failures"], names)
            for prompt in names:
                args = {"vendor": "dify", **({"question": "Who?"} if prompt.startswith("answer") else {})}
                text = await s.prompt(prompt, args)
                expect('vendor "dify"' in text, text)
                expect("dify" in await s.complete(prompt, "vendor", "di"), prompt)
                expect(await s.complete(prompt, "knowledge_base_id", ""), prompt)

    await check(f"{name}: prompts and completions", gets)


async def confirmation(name, open_session):
    """A delete asks its person and obeys. open_session(ask) opens a session whose
    person answers a message with ask(message): (action, content)."""

    async def asks():
        asked, says = [], None

        def ask(message):
            asked.append(message)
            return says

        base = f"confirmed by {name}"
        async with open_session(ask) as s:

            async def names():
                _, content, _ = await s.call("list_knowledge_bases", {"vendor": "ragflow"})
                return [b["name"] for b in content["knowledge_bases"]]

            _, made, _ = await s.call("create_knowledge_base", {"vendor": "ragflow", "name": base})
            doomed = {"vendor": "ragflow", "knowledge_base_id": made["knowledge_base"]["knowledge_base_id"]}
            for says in (("decline", None), ("cancel", None), ("accept", {"confirm": "yes"})):
                error, _, text = await s.call("delete_knowledge_base", doomed)
                expect(error and json.loads(text)["error"]["kind"] == "conflict", text)
            expect(base in await names(), "it is gone after a no")
            says = ("accept", {"confirm": base})
            error, content, text = await s.call("delete_knowledge_base", doomed)
            expect(not error and content["deleted"], text)
            expect(base not in await names(), "it is there after a yes")
            expect(len(asked) == 4 and base in asked[0], asked)

    await check(f"{name}: a delete asks and obeys", asks)
