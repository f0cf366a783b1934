// Grants as @cloudflare/workers-oauth-provider writes them: `node grants.mjs STATE_FOLDER NAMESPACE_ID` lets clients
// register, users sign in and tokens be refreshed under workerd, and prints the names of the keys that KV then holds.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [persist, id] = process.argv.slice(2);
const library = createRequire(import.meta.url).resolve("@cloudflare/workers-oauth-provider");
const origin = "https://portal.example";
const worker = `
import { OAuthProvider } from "./library.js";
const login = {
  async fetch(request, env) {
    const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
    const userId = new URL(request.url).searchParams.get("state");
    const props = { secret: "props-of-" + userId };
    const done = { request: asked, userId, metadata: {}, scope: asked.scope, props };
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization(done);
    return Response.redirect(redirectTo, 302);
  },
};
export default new OAuthProvider({
  apiRoute: "/mcp",
  apiHandler: { fetch: () => Response.json({ ok: true }) },
  defaultHandler: login,
  authorizeEndpoint: "/authorize",
  tokenEndpoint: "/token",
  clientRegistrationEndpoint: "/register",
  scopesSupported: ["mcp:read"],
  resourceMetadata: { resource: "https://portal.example/mcp", authorization_servers: ["https://portal.example"] },
  tokenExchangeCallback: ({ userId }) => (userId === "soon" ? { refreshTokenTTL: 2 * 86400 } : {}),
});
`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: [
      { type: "ESModule", path: "worker.js", contents: worker },
      { type: "ESModule", path: "library.js", contents: readFileSync(library, "utf8") },
    ],
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    kvNamespaces: { OAUTH_KV: id },
    resourcePersistencePath: persist,
  }),
);
const redirect = "https://client.example/callback";
const verifier = randomBytes(32).toString("base64url");

async function sent(path, init) {
  const answer = await miniflare.dispatchFetch(`${origin}${path}`, { redirect: "manual", ...init });
  if (answer.status >= 400) throw new Error(`${path.slice(0, 9)}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function registered() {
  const body = JSON.stringify({ redirect_uris: [redirect], token_endpoint_auth_method: "none" });
  const answer = await sent("/register", { method: "POST", headers: { "content-type": "application/json" }, body });
  return (await answer.json()).client_id;
}

async function signedIn(client, user) {
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: redirect,
    state: user,
    scope: "mcp:read",
    code_challenge_method: "S256",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  });
  const answer = await sent(`/authorize?${asked}`);
  return new URL(answer.headers.get("location")).searchParams.get("code");
}

async function given(client, more) {
  const body = new URLSearchParams({ client_id: client, ...more });
  return (await sent("/token", { method: "POST", body })).json();
}

async function connected(client, user) {
  const code = await signedIn(client, user);
  return given(client, { grant_type: "authorization_code", code, redirect_uri: redirect, code_verifier: verifier });
}

const kv = await miniflare.getKVNamespace("OAUTH_KV");
const [first, second, idle, gone] = [await registered(), await registered(), await registered(), await registered()];
let tokens = await connected(first, "alice");
for (let times = 0; times < 3; times += 1) {
  tokens = await given(first, { grant_type: "refresh_token", refresh_token: tokens.refresh_token });
}
await connected(second, "soon");
await signedIn(second, "waiting");
await connected(gone, "lost");
await kv.delete(`client:${gone}`);
const { keys } = await kv.list();
process.stdout.write(`${JSON.stringify({ names: keys.map((each) => each.name), tokens, idle })}\n`);
await miniflare.dispose();
