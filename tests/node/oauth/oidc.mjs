// npm oidc-provider with registration, introspection, revocation and resources: prints its origin when it listens.
import { createServer } from "node:http";
import Provider, { errors } from "oidc-provider";

// Its advice on keys and adapters is for production.
console.info = console.warn = () => {};
const server = createServer().listen(0, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));
const origin = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(origin, {
  features: {
    registration: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (context, resource) => {
        if (resource !== `${origin}/mcp`) throw new errors.InvalidTarget();
        return { scope: "mcp:read", audience: resource };
      },
    },
  },
});
server.on("request", provider.callback());
process.stdout.write(`${origin}\n`);
for await (const line of process.stdin);
server.close();
server.closeAllConnections();
