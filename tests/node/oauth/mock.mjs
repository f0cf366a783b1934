// npm oauth2-mock-server, which lets everybody in: prints its origin when it listens.
import { OAuth2Server } from "oauth2-mock-server";

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
await server.start(0, "127.0.0.1");
const origin = `http://127.0.0.1:${server.address().port}`;
server.issuer.url = origin;
process.stdout.write(`${origin}\n`);
for await (const line of process.stdin);
await server.stop();
