// Cloudflare's REST API for D1 with the real engine behind it: `node api.mjs STATE_FOLDER SETUP`, SETUP being JSON:
// {account, databases: {id: name}, tokens: {token: [database ids it may read, or "*"]}}. It prints its port, writes each
// request it got as a line of JSON to stdout, and ends with its standard input.
import { createServer } from "node:http";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [persist, setup] = process.argv.slice(2);
const { account, databases, tokens } = JSON.parse(setup);
const worker = `export default {
  async fetch(request, env) {
    const { id, queries } = await request.json();
    try {
      return Response.json(await env[id].query({ queries }));
    } catch (error) {
      return Response.json({ error: error.message });
    }
  },
}`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: worker,
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    compatibilityFlags: ["d1_binding_jsrpc", "experimental"],
    d1Databases: Object.fromEntries(Object.keys(databases).map((id) => [id, id])),
    resourcePersistencePath: persist,
  }),
);

const envelope = (result, info) => ({
  success: true,
  errors: [],
  messages: [],
  result,
  ...(info && { result_info: info }),
});
const failure = (code, message) => ({ success: false, errors: [{ code, message }], messages: [], result: null });
const described = (id) => ({ uuid: id, name: databases[id], version: "production", created_at: "2026-01-01T00:00:00Z" });

function listed(query) {
  const size = Math.min(Number(query.get("per_page") ?? 10), 100);
  const page = Number(query.get("page") ?? 1);
  const all = Object.keys(databases).filter((id) => databases[id].includes(query.get("name") ?? ""));
  const part = all.slice((page - 1) * size, page * size).map(described);
  return [200, envelope(part, { page, per_page: size, count: part.length, total_count: all.length })];
}

async function asked(id, format, body) {
  const statements = body.batch ?? [body];
  const queries = statements.map(({ sql, params }) => ({ sql, params: params ?? [] }));
  const answer = await miniflare.dispatchFetch("http://d1/", { method: "POST", body: JSON.stringify({ id, queries }) });
  const found = await answer.json();
  if (found.error) return [400, failure(7500, found.error.replace("D1_ERROR: ", ""))];
  return [200, envelope(found.results.map(({ data, meta }) => ({ results: shaped(data, format), success: true, meta })))];
}

function shaped({ columns, rows }, format) {
  if (format === "raw") return { columns, rows };
  return rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
}

async function answered(method, url, token, body) {
  const rights = tokens[token];
  const parts = url.pathname.replace("/client/v4/", "").split("/").map(decodeURIComponent);
  if (!rights) return [400, failure(9106, "Authentication failed (status: 400)")];
  if (parts.join("/") === "user/tokens/verify") return [200, envelope({ id: "t", status: "active" })];
  if (parts[0] !== "accounts" || parts[2] !== "d1") return [404, failure(7003, "Could not route")];
  if (rights.length === 0) return [403, failure(10000, "Authentication error")];
  if (parts[1] !== account) {
    const text = "The given account is not valid or is not authorized to access this service";
    return [403, failure(7403, text)];
  }
  const [id, format] = parts.slice(4);
  if (id === undefined) return listed(url.searchParams);
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
    return [400, failure(7400, "Invalid property: databaseId => Invalid uuid")];
  if (!(id in databases)) return [404, failure(7404, `The database ${id} could not be found`)];
  if (!format && method === "GET") {
    const [, found] = await asked(id, "raw", { sql: "SELECT 1" });
    const size = found.result[0].meta.size_after;
    return [200, envelope({ ...described(id), num_tables: 0, file_size: size, running_in_region: "WEUR" })];
  }
  if (method !== "POST" || !["raw", "query"].includes(format)) return [405, failure(10405, "Method not allowed")];
  return asked(id, format, JSON.parse(body));
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const url = new URL(request.url, "http://api");
  process.stdout.write(`${JSON.stringify({ method: request.method, path: request.url, body: body || null })}\n`);
  const token = (request.headers.authorization ?? "").replace("Bearer ", "");
  const [status, answer] = await answered(request.method, url, token, body);
  const text = JSON.stringify(answer);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
});
await miniflare.ready;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on("end", async () => {
  server.close();
  server.closeAllConnections();
  await miniflare.dispose();
  process.exit(0);
});
process.stdin.resume();
