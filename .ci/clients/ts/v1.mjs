// The old generation of the TypeScript SDK: @modelcontextprotocol/sdk.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { cancellation, confirmation, everywhere, gone, session } from './session.mjs';

const transports = {
  stdio: ({ command, args, env }) => new StdioClientTransport({ command, args, env: { ...getDefaultEnvironment(), ...env }, stderr: 'ignore' }),
  http: ({ url }) => new StreamableHTTPClientTransport(url),
  sse: ({ url }) => new SSEClientTransport(url),
};

const how = {
  call: (client, name, args, options) => client.callTool({ name, arguments: args }, undefined, { timeout: 20_000, ...options }),
  async close(client, transport) {
    const { pid } = transport;
    await transport.terminateSession?.();
    await client.close();
    if (pid) await gone(pid);
  },
};

await everywhere(async (kind, demo, dead, platform, sure) => {
  const make = (target) => () => {
    const transport = transports[kind](target);
    const client = new Client({ name: 'ci', version: '1' }, { capabilities: {} });
    if (kind === 'stdio') return { client, transport: noted(transport) };
    return { client, transport };
  };
  await session(`ts-v1 ${kind}`, make(demo), { ...how, version: { of: (_, t) => t.version ?? t._protocolVersion, want: '2025-11-25' } });
  await confirmation(`ts-v1 ${kind}`, (ask) => {
    const client = new Client({ name: 'ci', version: '1' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ask(params));
    return { client, transport: transports[kind](sure) };
  }, how);
  await cancellation(`ts-v1 ${kind}`, make(dead), how, platform);
});

// noted keeps the negotiated version, which this transport has no use for.
function noted(transport) {
  transport.setProtocolVersion = (version) => {
    transport.version = version;
  };
  return transport;
}
