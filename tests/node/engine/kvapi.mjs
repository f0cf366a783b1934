// Cloudflare's REST API for KV with the real engine behind it: `node kvapi.mjs STATE_FOLDER SETUP`, SETUP being JSON:
// {account, namespaces: {id: title}, tokens: [token that may read]}. It prints its port, writes the path of each request
// as it came as a line of JSON to stdout, and ends with its standard input.
import { createServer } from "node:http";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [persist, setup] = process.argv.slice(2);
const { account, namespaces, tokens } = JSON.parse(setup);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: "export default { fetch() { return new Response(); } }",
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    kvNamespaces: Object.keys(namespaces),
    resourcePersistencePath: persist,
  }),
);
const json = (status, result, info) => [
  status,
  { "content-type": "application/json" },
  JSON.stringify({ success: true, errors: [], messages: [], result, ...(info && { result_info: info }) }),
];
const failure = (status, code, message) => [
  status,
  { "content-type": "application/json" },
  JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }),
];

async function answered(request, url) {
  const token = (request.headers.authorization ?? "").replace("Bearer ", "");
  const parts = url.pathname.replace("/client/v4/", "").split("/").map(decodeURIComponent);
  if (!tokens.includes(token)) return failure(403, 10000, "Authentication error");
  if (parts[1] !== account) return failure(403, 9109, "Unauthorized to access requested resource");
  if (parts.slice(2, 5).join("/") !== "storage/kv/namespaces") return failure(404, 7003, "Could not route");
  if (request.method !== "GET") return failure(405, 10405, "Method not allowed");
  const [id, what, key, ...more] = parts.slice(5);
  if (more.length > 0) return failure(404, 7003, "Could not route");
  const query = url.searchParams;
  if (id === undefined) {
    const size = Math.min(Number(query.get("per_page") ?? 20), 100);
    const page = Number(query.get("page") ?? 1);
    const all = Object.entries(namespaces).map(([id, title]) => ({ id, title, supports_url_encoding: true }));
    const part = all.slice((page - 1) * size, page * size);
    return json(200, part, { page, per_page: size, count: part.length, total_count: all.length });
  }
  if (!(id in namespaces)) return failure(404, 10013, "list keys: 'namespace not found'");
  const kv = await miniflare.getKVNamespace(id);
  if (what === "keys") {
    const limit = Number(query.get("limit") ?? 1000);
    if (limit < 10 || limit > 1000) return failure(400, 10043, "list keys: 'invalid limit'");
    const cursor = query.get("cursor") || undefined;
    const listed = await kv.list({ limit, prefix: query.get("prefix") ?? "", cursor });
    return json(200, listed.keys, { count: listed.keys.length, cursor: listed.cursor ?? "" });
  }
  const found = await kv.getWithMetadata(key, "arrayBuffer");
  if (found.value === null) return failure(404, 10009, "get: 'key not found'");
  if (what === "metadata") return json(200, found.metadata);
  const { keys } = await kv.list({ prefix: key, limit: 1 });
  const headers = { "content-type": "application/octet-stream" };
  if (keys[0]?.expiration) headers.expiration = String(keys[0].expiration);
  return [200, headers, Buffer.from(found.value)];
}

const server = createServer(async (request, response) => {
  process.stdout.write(`${JSON.stringify({ method: request.method, path: request.url })}\n`);
  const [status, headers, body] = await answered(request, new URL(request.url, "http://api"));
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
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
