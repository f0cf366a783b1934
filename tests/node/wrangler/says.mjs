// What wrangler itself says of configurations: one JSON line {path, env?} in, one {errors, warnings} out.
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import * as wrangler from "wrangler";

const heard = [];
for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream);
  stream.write = (chunk, ...rest) => (chunk[0] === "\u0000" ? write(chunk.slice(1), ...rest) : (heard.push(String(chunk)), true));
}
for await (const line of createInterface({ input: process.stdin })) {
  const { path, env } = JSON.parse(line);
  heard.length = 0;
  let refused = null;
  try {
    wrangler.unstable_readConfig({ config: path, env }, {});
  } catch (error) {
    refused = stripVTControlCharacters(String(error.message));
  }
  const warned = stripVTControlCharacters(heard.join(""));
  process.stdout.write("\u0000" + JSON.stringify({ refused, warned }) + "\n");
}
