import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { apiToken } from "../../control/api_token.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";

/** Prints the token of the REST API, for scripts: `curl -H "Authorization: Bearer $(petit server token)" …`. */
export function printToken(invocation: Invocation): number {
  const token = apiToken(loadConfig(configFile(invocation)).folder);
  process.stdout.write(invocation.values["json"] === true ? `${JSON.stringify({ token })}\n` : `${token}\n`);
  return 0;
}
