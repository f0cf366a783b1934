// One client of the TypeScript SDK walks through a server and prints what it saw.
// node walk.mjs v1|legacy|auto|2026-07-28 stdio COMMAND ARGUMENT...
// node walk.mjs v1|legacy|auto|2026-07-28 http URL TOKEN
const [generation, kind, target, ...rest] = process.argv.slice(2);
const old = generation === "v1";
const sdk = "@modelcontextprotocol/sdk/client";
const { Client } = await import(old ? `${sdk}/index.js` : "@modelcontextprotocol/client");
const { StdioClientTransport } = await import(old ? `${sdk}/stdio.js` : "@modelcontextprotocol/client/stdio");
const { StreamableHTTPClientTransport } = await import(
  old ? `${sdk}/streamableHttp.js` : "@modelcontextprotocol/client"
);

const mode = generation.startsWith("2") ? { pin: generation } : generation;
const client = new Client(
  { name: "walk", version: "1" },
  { capabilities: {}, ...(old ? {} : { versionNegotiation: { mode } }) },
);
const transport =
  kind === "stdio"
    ? new StdioClientTransport({ command: target, args: rest, env: process.env })
    : new StreamableHTTPClientTransport(new URL(target), {
        requestInit: { headers: rest[0] ? { Authorization: `Bearer ${rest[0]}` } : {} },
      });
await client.connect(transport);
const { tools } = await client.listTools();
const answered = await client.callTool({
  name: "d1_query",
  arguments: { database: "portal-db", sql: "SELECT id, access_token_enc FROM connections ORDER BY id LIMIT 2" },
});
const refused = await client.callTool({
  name: "d1_query",
  arguments: { database: "portal-db", sql: "DELETE FROM connections" },
});
const { prompts } = await client.listPrompts();
const prompt = await client.getPrompt({ name: "daan", arguments: { opdracht: "look" } });
const { resources } = await client.listResources();
const read = await client.readResource({ uri: "daan://output-protocol" });
const completed = await client.complete({
  ref: { type: "ref/prompt", name: "migration_review" },
  argument: { name: "database", value: "por" },
});
let unknown = null;
try {
  await client.callTool({ name: "no_such_tool", arguments: {} });
} catch (error) {
  unknown = error.code;
}
console.log(
  JSON.stringify({
    server: client.getServerVersion().name,
    tools: tools.map((tool) => tool.name),
    rows: answered.structuredContent.data.rows.length,
    masked: answered.structuredContent.data.masked,
    refused: [refused.isError, refused.structuredContent.error.code],
    prompts: prompts.map((each) => each.name),
    prompt: prompt.messages.length,
    resources: resources.length,
    protocol: JSON.parse(read.contents[0].text).title,
    completed: completed.completion.values,
    unknown,
    era: old ? "legacy" : client.getProtocolEra(),
  }),
);
await client.close();
