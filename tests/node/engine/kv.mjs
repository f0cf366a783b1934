// The real KV engine: `node kv.mjs STATE_FOLDER NAMESPACE_ID` answers each line of stdin:
// {put: key, text|base64, expirationTtl?, metadata?}, {get: key}, {delete: key} or {list: {prefix?, limit?, cursor?}}.
import { createInterface } from "node:readline";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [persist, id] = process.argv.slice(2);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: "export default { fetch() { return new Response(); } }",
    cf: false, // else it asks the network where it is
    compatibilityDate: "2026-08-04",
    kvNamespaces: { KV: id },
    resourcePersistencePath: persist,
  }),
);
const kv = await miniflare.getKVNamespace("KV");

async function answer({ put, get, list, text, base64, expirationTtl, metadata, ...other }) {
  if (put !== undefined) {
    const value = base64 === undefined ? text : Buffer.from(base64, "base64");
    await kv.put(put, value, { expirationTtl, metadata });
    return {};
  }
  if (get !== undefined) {
    const { value, metadata } = await kv.getWithMetadata(get, "arrayBuffer");
    return { base64: value === null ? null : Buffer.from(value).toString("base64"), metadata };
  }
  if (other.delete !== undefined) return (await kv.delete(other.delete)) ?? {};
  return await kv.list(list);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: error.message })}\n`);
  }
}
await miniflare.dispose();
