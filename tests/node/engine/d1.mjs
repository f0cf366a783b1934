// The real D1 engine: `node d1.mjs STATE_FOLDER DATABASE_ID` answers each line of stdin,
// {sql, parameters?, session?, raw?}; raw gives {columns, rows}, so that columns of one name stay apart.
import { createInterface } from "node:readline";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [persist, id] = process.argv.slice(2);
const script = `export default {
  async fetch(request, env) {
    const { sql, parameters = [], session = false, raw = false } = await request.json();
    const database = session ? env.DB.withSession("first-primary") : env.DB;
    try {
      const statement = database.prepare(sql).bind(...parameters);
      if (!raw) return Response.json(await statement.all());
      const [columns, ...rows] = await statement.raw({ columnNames: true });
      return Response.json({ success: true, columns, rows });
    } catch (error) {
      return Response.json({ success: false, error: error.message });
    }
  },
}`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script,
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    d1Databases: { DB: id },
    resourcePersistencePath: persist,
  }),
);
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await miniflare.dispatchFetch("http://d1/", { method: "POST", body: line });
  process.stdout.write(`${await answer.text()}\n`);
}
await miniflare.dispose();
