// A Worker that protects /mcp with @cloudflare/workers-oauth-provider, under workerd: prints its origin when it listens.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const library = createRequire(import.meta.url).resolve("@cloudflare/workers-oauth-provider");
const port = await new Promise((told) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => told(port));
  });
});
const origin = `http://127.0.0.1:${port}`;
const worker = `
import { OAuthProvider } from "./library.js";
const page = (text, status = 200) =>
  new Response("<!doctype html><p>" + text, {
    status,
    headers: { "content-type": "text/html", "content-security-policy": "frame-ancestors 'none'" },
  });
const login = {
  async fetch(request, env) {
    if (new URL(request.url).pathname !== "/authorize") return new Response("nothing here", { status: 404 });
    try {
      await env.OAUTH_PROVIDER.parseAuthRequest(request);
    } catch (error) {
      return error.redirectTo ? Response.redirect(error.redirectTo, 302) : page(error.code ?? error.message, 400);
    }
    return page("Allow this client?");
  },
};
export default new OAuthProvider({
  apiRoute: "/mcp",
  apiHandler: { fetch: () => Response.json({ ok: true }) },
  defaultHandler: login,
  authorizeEndpoint: "/authorize",
  tokenEndpoint: "/token",
  clientRegistrationEndpoint: "/register",
  clientIdMetadataDocumentEnabled: true,
  scopesSupported: ["mcp:read"],
  requiredScopes: ["mcp:read"],
  resourceMetadata: {
    resource: "${origin}/mcp",
    authorization_servers: ["${origin}"],
    resource_name: "Portal",
  },
});
`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    modules: [
      { type: "ESModule", path: "worker.js", contents: worker },
      { type: "ESModule", path: "library.js", contents: readFileSync(library, "utf8") },
    ],
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    compatibilityFlags: ["global_fetch_strictly_public"],
    kvNamespaces: ["OAUTH_KV"],
  }),
);
await miniflare.ready;
process.stdout.write(`${origin}\n`);
// Whoever started this closes stdin when done.
for await (const line of process.stdin) {
  const namespace = await miniflare.getKVNamespace("OAUTH_KV");
  const { keys } = await namespace.list();
  process.stdout.write(`${JSON.stringify(keys.map((each) => each.name))}\n`);
}
await miniflare.dispose();
