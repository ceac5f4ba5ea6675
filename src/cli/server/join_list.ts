import process from "node:process";
import type { JoinCodeRecord } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { table } from "../terminal/table.ts";
import { momentText } from "../../time_text.ts";
import { withRegistry } from "./with_registry.ts";

/** The least that a code is called by: the beginning of its hash. */
const SHORTEST = 8;

/** What a join code can still do. */
type State = "open" | "used up" | "expired";

export function joinList(invocation: Invocation): number {
  const codes = withRegistry(invocation, (registry) => registry.joinCodes());
  const now = Date.now();
  const length = shortIdLength(codes.map(({ hash }) => hash));
  const rows = codes.map((code) => ({ ...code, id: code.hash.slice(0, length), state: stateOf(code, now) }));
  if (invocation.values["json"] === true) {
    const facts = rows.map(({ id, brand, uses, usesLeft, createdAt, expiresAt, state }) => ({
      ...{ id, brand: brand === "" ? null : brand, uses, usesLeft },
      created: createdAt === 0 ? null : new Date(createdAt).toISOString(),
      expires: new Date(expiresAt).toISOString(),
      state,
    }));
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return 0;
  }
  if (rows.length === 0) {
    process.stdout.write('There are no join codes; "petit server join" makes one.\n');
    return 0;
  }
  process.stdout.write(table([
    { title: "ID", value: ({ id }) => id },
    { title: "STATE", value: ({ state }) => state },
    {
      title: "USES LEFT",
      value: ({ usesLeft, uses }) => uses === 0 ? `${usesLeft}` : `${usesLeft} of ${uses}`,
      right: true,
    },
    { title: "BRAND", value: ({ brand }) => brand === "" ? "any" : brand, atLeast: 6 },
    { title: "MADE", value: ({ createdAt }) => createdAt === 0 ? undefined : momentText(createdAt) },
    { title: "EXPIRES", value: ({ expiresAt }) => momentText(expiresAt) },
  ], rows));
  return 0;
}

function stateOf({ usesLeft, expiresAt }: JoinCodeRecord, now: number): State {
  return usesLeft === 0 ? "used up" : expiresAt <= now ? "expired" : "open";
}

/** How many characters tell all of them apart. */
function shortIdLength(hashes: readonly string[]): number {
  let length = SHORTEST;
  while (length < 64 && new Set(hashes.map((hash) => hash.slice(0, length))).size < hashes.length) length++;
  return length;
}
