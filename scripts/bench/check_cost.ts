import { parseConfig } from "../../src/config/load.ts";
import { parseRequestHead } from "../../src/http/head.ts";
import type { AccessStore, Credential, OwnAccess } from "../../src/registry/access.ts";
import { AccessRules } from "../../src/server/access/access_rules.ts";
import { CallerAccess } from "../../src/server/access/caller_access.ts";

/** Checks in one batch, and batches of which the quickest counts: other programs only ever make one slower. */
const BATCH = 10_000;
const BATCHES = 50;

/**
 * Measures what petit does to decide about one request, in this process and alone: what other programs do on the machine
 * tells less of it than requests per second do.
 *
 * @param shown value of Authorization in each request
 * @returns microseconds for a request
 */
export function checkCost(rule: OwnAccess, credentials: readonly Credential[], shown: string): number {
  const store = { rules: () => new Map([["1001", rule]]), credentials: () => credentials } as unknown as AccessStore;
  const rules = new AccessRules({ store, config: parseConfig("", "/nowhere/config.toml").server });
  const peer = { address: "127.0.0.1", port: 1, secure: false, trusted: false };
  const access = new CallerAccess(rules, peer);
  const lines = ["GET /small HTTP/1.1", "Host: 1001", "User-Agent: bench", `Authorization: ${shown}`];
  const { fields } = parseRequestHead(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
  let quickest = Infinity;
  for (let batch = 0; batch < BATCHES; batch++) {
    const begun = performance.now();
    for (let count = 0; count < BATCH; count++) {
      if (access.check("1001", fields) !== undefined) throw new Error("The check lets nobody in");
      access.forService(fields);
    }
    quickest = Math.min(quickest, performance.now() - begun);
  }
  rules.close();
  return quickest / BATCH * 1000;
}
