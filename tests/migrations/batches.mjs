// The real D1 engine: `node batches.mjs PACKAGES COUNT` answers each line of stdin, {database, batches}, a batch being
// a list of statements that D1 runs in one transaction, as wrangler applies a migration.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [packages, count] = process.argv.slice(2);
const { convertV4MiniflareOptions, Miniflare } = createRequire(`${packages}/`)("miniflare");
const script = `export default {
  async fetch(request, env) {
    const { database, batches } = await request.json();
    const answers = [];
    for (const batch of batches) {
      try {
        const done = await env[database].batch(batch.map((sql) => env[database].prepare(sql)));
        answers.push({ rows: done.at(-1).results });
      } catch (error) {
        answers.push({ error: error.message });
      }
    }
    return Response.json(answers);
  },
}`;
const names = Array.from({ length: Number(count) }, (_, place) => `DB${place}`);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script,
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    d1Databases: Object.fromEntries(names.map((name) => [name, name])),
  }),
);
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await miniflare.dispatchFetch("http://d1/", { method: "POST", body: line });
  process.stdout.write(`${await answer.text()}\n`);
}
await miniflare.dispose();
