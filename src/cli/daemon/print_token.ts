import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { apiToken } from "../../control/api_token.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";

/** Prints the token of the REST API, for scripts: `petit server token --header | curl -H @- …`. */
export function printToken(invocation: Invocation): number {
  const token = apiToken(loadConfig(configFile(invocation)).folder);
  const { json, header } = invocation.values;
  const text = header === true ? `Authorization: Bearer ${token}` : token;
  process.stdout.write(`${json === true ? JSON.stringify({ token }) : text}\n`);
  return 0;
}
