"""Clients of the first generation: the official SDK as most hosts have it, and langchain-mcp-adapters."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import checks
from checks import DEMO, KB, QUIET, Server, check, expect, listed


class Official:
    """The official SDK's ClientSession."""

    progresses = True

    def __init__(self, session):
        self.session = session

    async def tools(self):
        return [t.name for t in (await self.session.list_tools()).tools]

    async def call(self, name, args, progress=None):
        async def notified(*what):
            if progress:
                progress(what)

        result = await self.session.call_tool(name, args, progress_callback=notified)
        return result.isError, result.structuredContent, result.content[0].text

    async def prompts(self):
        return [p.name for p in (await self.session.list_prompts()).prompts]

    async def prompt(self, name, args):
        return (await self.session.get_prompt(name, args)).messages[0].content.text

    async def complete(self, prompt, argument, typed):
        ref = types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.session.complete(ref, {"name": argument, "value": typed}, {"vendor": "dify"})).completion.values


def opens(transport, ask=None):
    async def answer(context, params):
        action, content = ask(params.message)
        return types.ElicitResult(action=action, content=content)

    @asynccontextmanager
    async def open_session():
        async with transport() as (reading, writing, *_), ClientSession(reading, writing, elicitation_callback=ask and answer) as session:
            await session.initialize()
            yield Official(session)

    return open_session


async def langchain(name, connection):
    """langchain-mcp-adapters: every tool becomes one of LangChain's, and works as one."""
    client = MultiServerMCPClient({"kb": connection})

    async def loads():
        tools = {t.name: t for t in await client.get_tools()}
        expect(sorted(tools) == sorted(listed()), list(tools))
        for tool in tools.values():
            expect(tool.description and tool.args_schema["type"] == "object", tool.name)

    async def works():
        async with client.session("kb") as session:
            tools = {t.name: t for t in await load_mcp_tools(session)}
            said = await tools["list_knowledge_bases"].ainvoke({"type": "tool_call", "id": "1", "name": "list_knowledge_bases", "args": {"vendor": "dify"}})
            expect(said.status == "success" and "knowledge_base_id" in str(said.content), said)
            said = await tools["list_documents"].ainvoke({"type": "tool_call", "id": "2", "name": "list_documents", "args": {"vendor": "dify", "knowledge_base_id": "nope"}})
            text = said.content if isinstance(said.content, str) else said.content[0]["text"]
            expect(said.status == "error" and json.loads(text)["error"]["kind"] in ("not_found", "invalid_argument"), said)

    await check(f"{name}: loads", loads)
    await check(f"{name}: works", works)


async def main():
    with Server() as http:
        url = http.url + "/mcp"
        for name, transport in (
            ("mcp 1 stdio", lambda: stdio_client(StdioServerParameters(command=KB, args=DEMO, env=QUIET))),
            ("mcp 1 http", lambda: streamable_http_client(url)),
            ("mcp 1 sse", lambda: sse_client(http.url + "/sse")),
        ):
            await checks.session(name, opens(transport))
            await checks.prompts(name, opens(transport))
            await checks.confirmation(name, lambda ask, transport=transport: opens(transport, ask)())
        await langchain("langchain stdio", {"transport": "stdio", "command": KB, "args": DEMO, "env": QUIET})
        await langchain("langchain http", {"transport": "streamable_http", "url": url})


asyncio.run(main())
sys.exit(checks.failed)
