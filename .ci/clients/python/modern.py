"""Clients of the newest generation: the official SDK, fastmcp, google-genai and openai-agents."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from agents import Agent, Runner, set_tracing_disabled
from agents.items import ModelResponse
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, MCPUtil
from agents.models.interface import Model
from agents.usage import Usage
from fastmcp import Client as FastClient
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from google.genai import _extra_utils, _mcp_utils, types
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp_types import ElicitResult, PromptReference
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import checks
from checks import DEMO, KB, QUIET, Server, check, expect, listed

set_tracing_disabled(True)
STDIO = StdioServerParameters(command=KB, args=DEMO, env=QUIET)


class Official:
    """The official SDK's Client."""

    progresses = True

    def __init__(self, client):
        self.client = client

    async def tools(self):
        return [t.name for t in (await self.client.list_tools()).tools]

    async def call(self, name, args, progress=None):
        async def notified(*what):
            if progress:
                progress(what)

        result = await self.client.call_tool(name, args, progress_callback=notified)
        return result.is_error, result.structured_content, result.content[0].text

    async def prompts(self):
        return [p.name for p in (await self.client.list_prompts()).prompts]

    async def prompt(self, name, args):
        return (await self.client.get_prompt(name, args)).messages[0].content.text

    async def complete(self, prompt, argument, typed):
        ref = PromptReference(type="ref/prompt", name=prompt)
        return (await self.client.complete(ref, {"name": argument, "value": typed}, {"vendor": "dify"})).completion.values


class Fast(Official):
    """fastmcp's Client."""

    async def tools(self):
        return [t.name for t in await self.client.list_tools()]

    async def call(self, name, args, progress=None):
        async def notified(*what):
            if progress:
                progress(what)

        result = await self.client.call_tool(name, args, progress_handler=notified, raise_on_error=False)
        return result.is_error, result.structured_content, result.content[0].text


def opens(kind, client):
    """Opens a session by a function that makes a client."""

    @asynccontextmanager
    async def open_session():
        async with client() as opened:
            yield kind(opened)

    return open_session


def answering(ask):
    """The official SDK's callback."""

    async def answer(context, params):
        action, content = ask(params.message)
        return ElicitResult(action=action, content=content)

    return answer


class Scripted(Model):
    """A model without a network: it calls one tool, then says that it is done."""

    def __init__(self, tool, arguments):
        self.tool, self.arguments, self.saw, self.offered = tool, arguments, None, []

    async def get_response(self, system_instructions, input, model_settings, tools, *args, **kwargs):
        self.offered = [t.name for t in tools]
        outputs = [item for item in input if isinstance(item, dict) and item.get("type") == "function_call_output"] if isinstance(input, list) else []
        if outputs:
            self.saw = outputs[-1]["output"]
            said = [ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[
                ResponseOutputText(type="output_text", text="done", annotations=[])])]
        else:
            said = [ResponseFunctionToolCall(type="function_call", call_id="c1", name=self.tool, arguments=json.dumps(self.arguments))]
        return ModelResponse(output=said, usage=Usage(), response_id=None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError


async def agents(name, make):
    """openai-agents: strict schemas, and a run of an agent with a model that is scripted."""

    async def strict():
        async with make() as server:
            tools = await MCPUtil.get_function_tools(server, convert_schemas_to_strict=True, run_context=None, agent=None)
            expect(sorted(t.name for t in tools) == sorted(listed()), [t.name for t in tools])
            loose = [t.name for t in tools if not t.strict_json_schema]
            # A tool without arguments is an open object to it, and is called loosely.
            expect(set(loose) <= {"list_vendors"}, f"not strict: {loose}")

    async def runs():
        async with make() as server:
            model = Scripted("list_documents", {"vendor": "dify", "knowledge_base_id": "nope"})
            agent = Agent(name="a", model=model, mcp_servers=[server], mcp_config={"convert_schemas_to_strict": True})
            result = await Runner.run(agent, "Which documents are there?")
            expect(result.final_output == "done" and "not_found" in str(model.saw) or "invalid_argument" in str(model.saw), model.saw)
            model = Scripted("list_vendors", {})
            await Runner.run(Agent(name="a", model=model, mcp_servers=[server]), "Which platforms?")
            expect("volcengine" in str(model.saw), model.saw)

    await check(f"{name}: strict schemas", strict)
    await check(f"{name}: a run", runs)


async def gemini(name, client):
    """google-genai: every tool converts, and a session is taken as a tool."""

    async def converts():
        async with client() as opened:
            tools = (await opened.list_tools()).tools
            bad = []
            for tool in tools:
                try:
                    declaration = _mcp_utils.mcp_to_gemini_tools([tool])[0].function_declarations[0]
                    for schema in properties(declaration.parameters):
                        expect(schema.type != types.Type.OBJECT or schema.properties, "an object without properties, which Gemini refuses")
                except Exception as error:
                    bad.append(f"{tool.name}: {error}")
            expect(not bad, f"{len(bad)} of {len(tools)} tools do not convert: {bad}")
            expect(len(tools) == len(listed()) >= 18, len(tools))

    async def session():
        async with client() as opened:
            config, adapters = await _extra_utils.parse_config_for_mcp_sessions(types.GenerateContentConfig(tools=[opened.session]))
            expect(len(config.tools) == len(listed()), config.tools)
            answer = await adapters["list_vendors"].call_tool(types.FunctionCall(name="list_vendors", args={}))
            expect("volcengine" in str(answer), answer)

    await check(f"{name}: every tool converts", converts)
    await check(f"{name}: a session as a tool", session)


def properties(schema):
    """The schemas below the root of a tool's arguments."""
    found = []
    for child in list((schema.properties or {}).values()) + [s for s in [schema.items] if s]:
        found += [child, *properties(child)]
    return found


async def main():
    with Server() as http:
        url = http.url + "/mcp"
        for mode in ("auto", "legacy"):
            await checks.session(f"mcp {mode} stdio", opens(Official, lambda: Client(STDIO, mode=mode)))
            await checks.session(f"mcp {mode} http", opens(Official, lambda: Client(url, mode=mode)))
            for name, at in (("stdio", STDIO), ("http", url)):
                await checks.prompts(f"mcp {mode} {name}", opens(Official, lambda: Client(at, mode=mode)))
                await checks.confirmation(f"mcp {mode} {name}", lambda ask: opens(Official, lambda: Client(at, mode=mode, elicitation_callback=answering(ask)))())
        await checks.session("mcp sse", opens(Official, lambda: Client(sse_client(http.url + "/sse"), mode="legacy")))
        await checks.session("fastmcp stdio", opens(Fast, lambda: FastClient(StdioTransport(KB, DEMO, env=QUIET, keep_alive=False))))
        await checks.session("fastmcp http", opens(Fast, lambda: FastClient(StreamableHttpTransport(url))))
        await checks.session("fastmcp sse", opens(Fast, lambda: FastClient(SSETransport(http.url + "/sse"))))
        await gemini("google-genai stdio", lambda: Client(STDIO))
        await gemini("google-genai http", lambda: Client(url))
        await agents("openai-agents stdio", lambda: MCPServerStdio(params={"command": KB, "args": DEMO, "env": QUIET}, client_session_timeout_seconds=20))
        await agents("openai-agents http", lambda: MCPServerStreamableHttp(params={"url": url}, client_session_timeout_seconds=20))


asyncio.run(main())
sys.exit(checks.failed)
