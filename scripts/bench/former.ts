import { FORMER_SERVER } from "../../tests/peers/former.ts";
import { missingOf, program } from "../../tests/peers/peer_test.ts";
import { must } from "./processes.ts";
import { MissingPrograms } from "./programs.ts";

/** @throws MissingPrograms where there is no 0.6.34, or not all that its server needs */
export function findFormer(): void {
  const missing = missingOf(FORMER_SERVER);
  if (missing.length > 0) {
    throw new MissingPrograms(
      `Needed to compare with 0.6.34, and not there: ${missing.join(", ")}. Its programs come by "npm install ` +
        'cloudelements-petit@0.6.34"; PETIT_FORMER names the folder node_modules/.bin in which they are',
    );
  }
}

/** What it runs on, for the heading. */
export async function describeFormer(): Promise<Record<string, string>> {
  const redis = /v=(\S+)/.exec(await must([program("redis-server"), "--version"]))?.[1];
  return { "0.6.34": `on Node ${(await must(["node", "--version"])).trim()}, Redis ${redis}` };
}
