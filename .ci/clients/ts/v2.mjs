// The new generation of the TypeScript SDK: @modelcontextprotocol/client, in
// every way it can settle on a revision; an argument names one of them.
import assert from 'node:assert/strict';
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { check, rejects, within } from '../lib.mjs';
import { cancellation, confirmation, everywhere, gone, session } from './session.mjs';

const transports = {
  stdio: ({ command, args, env }) => new StdioClientTransport({ command, args, env: { ...getDefaultEnvironment(), ...env }, stderr: 'ignore' }),
  http: ({ url }) => new StreamableHTTPClientTransport(url),
  sse: ({ url }) => new SSEClientTransport(url),
};

const legacy = '2025-11-25';
const modern = '2026-07-28';
const modes = [
  { label: 'legacy', mode: 'legacy', want: { stdio: legacy, http: legacy, sse: legacy } },
  { label: 'auto', mode: 'auto', want: { stdio: modern, http: modern, sse: legacy } }, // SSE has no modern era
  { label: 'pinned', mode: { pin: modern }, want: { stdio: modern, http: modern } },
].filter(({ label }) => !process.argv[2] || label === process.argv[2]);

const how = {
  call: (client, name, args, options) => client.callTool({ name, arguments: args }, { timeout: 20_000, ...options }),
  async close(client, transport) {
    const { pid } = transport;
    if (client.getNegotiatedProtocolVersion() === legacy) await transport.terminateSession?.();
    await client.close();
    if (pid) await gone(pid);
  },
};

await everywhere(async (kind, demo, dead, platform, sure) => {
  for (const { label, mode, want } of modes) {
    const name = `ts-v2 ${label} ${kind}`;
    const make = (target) => () => ({
      client: new Client({ name: 'ci', version: '1' }, { capabilities: {}, versionNegotiation: { mode } }),
      transport: transports[kind](target),
    });
    if (!want[kind]) {
      await check(`${name}: fails, by design`, async () => {
        const { client, transport } = make(demo)();
        const err = await rejects(within(10_000, client.connect(transport), 'connect'), 'connect');
        assert.equal(err.code, -32022, `${err.name} ${err.code}: ${err.message}`); // unsupported protocol version
        await client.close();
      });
      continue;
    }
    const version = { of: (client) => client.getNegotiatedProtocolVersion(), want: want[kind] };
    await session(name, make(demo), { ...how, version });
    await confirmation(name, (ask) => {
      const client = new Client({ name: 'ci', version: '1' }, { capabilities: { elicitation: {} }, versionNegotiation: { mode } });
      client.setRequestHandler('elicitation/create', async ({ params }) => ask(params));
      return { client, transport: transports[kind](sure) };
    }, how);
    await cancellation(name, make(dead), how, platform);
  }
});
