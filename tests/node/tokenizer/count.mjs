// The o200k tokens of each value of the JSON array on standard input, as a JSON array.
import { readFileSync } from "node:fs";
import { encode } from "gpt-tokenizer/encoding/o200k_base";

const values = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(values.map((value) => encode(JSON.stringify(value)).length)));
