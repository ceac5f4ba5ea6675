import { PetitError } from "../error.ts";
import { type LegacyRegistry, MOST_ID, MOST_PORT, readLegacyEntry, shown } from "./legacy_entry.ts";
import type { RedisReader } from "./redis_reader.ts";
import type { ImportConflict, ImportedRegistration } from "./registry.ts";

/** Registrations that are read at a time. */
const BATCH = 500;

/**
 * Reads what a server of 0.6.x kept in a Redis, under these keys:
 *
 * | key                                | what                                                                            |
 * |------------------------------------|---------------------------------------------------------------------------------|
 * | g2c/allids                         | set of the ids                                                                  |
 * | g2c/ids/ID/key, /port, /vitae      | strings: PEM, number, JSON                                                      |
 * | g2c/aliases/ALIAS                  | string: the id that a Host field leads to                                       |
 * | g2c/ids/ID/aliases                 | set of its aliases. 0.6.34 puts none in it: it writes a key "{regId}" for the ID |
 * | g2c/max/id, g2c/max/port           | strings: the highest that were given away; the second is of older servers       |
 *
 * g2c/ports/PORT, g2c/openPorts and the usage have nothing to add. What the server of 0.6.x could not use either is left out: an id
 * without a key or a port (it unregisters in several steps), the port "NaN" (which it gave away when it had no others), and
 * aliases of ids that are gone (it unregistered an id without the aliases that it had not put into its set).
 *
 * @throws PetitError `import-unreadable` where there is nothing of 0.6.x, or as the reader
 */
export async function readLegacyRedis(redis: RedisReader): Promise<LegacyRegistry> {
  const ids = await redis.members("g2c/allids");
  if (ids.length === 0) {
    throw new PetitError(
      "import-unreadable",
      `${redis.name} holds no registry of petit 0.6: "g2c/allids" is not there`,
      {
        hint:
          "Another database of that Redis is named by its number at the end of the URL, such as redis://localhost:6379/1",
      },
    );
  }
  const registrations: ImportedRegistration[] = [];
  const problems: ImportConflict[] = [];
  const leftOut: ImportConflict[] = [];
  const leaveOut = (id: string, reason: string) => leftOut.push({ id, reason });
  const aliases = await readAliases(redis, new Set(ids), leaveOut);
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH);
    const values = await redis.values(
      batch.flatMap((id) => ["key", "port", "vitae"].map((part) => `g2c/ids/${id}/${part}`)),
    );
    for (const [index, id] of batch.entries()) {
      const [key, port, vitae] = values.slice(index * 3, index * 3 + 3) as (string | null)[];
      if (key === null) {
        leaveOut(id, "it has no key, so that no client can be it");
        continue;
      }
      if (port === null || !(Number(port) > 0)) {
        leaveOut(
          id,
          `its port is ${
            shown(port ?? undefined)
          }, which it cannot have been reached by; its client has to register anew`,
        );
        continue;
      }
      const entry = { port: Number(port), key, vitae: parsed(vitae), aliases: aliases.get(id) };
      const registration = readLegacyEntry(id, entry, (reason) => problems.push({ id, reason }));
      if (registration !== undefined) registrations.push(registration);
    }
  }
  const [maxId, maxPort] = await redis.values(["g2c/max/id", "g2c/max/port"]);
  return {
    registrations,
    problems,
    leftOut,
    highest: { id: highest("g2c/max/id", maxId, MOST_ID), port: highest("g2c/max/port", maxPort, MOST_PORT) },
  };
}

/** Aliases by id. Where a set and g2c/aliases differ, the latter is what callers were led by. */
async function readAliases(
  redis: RedisReader,
  ids: ReadonlySet<string>,
  leaveOut: (id: string, reason: string) => unknown,
): Promise<Map<string, string[]>> {
  const keys = await redis.keys("g2c/*");
  const found = new Map<string, string>();
  const names = keys.flatMap((key) => /^g2c\/aliases\/(.+)$/s.exec(key)?.[1] ?? []);
  for (let from = 0; from < names.length; from += BATCH) {
    const batch = names.slice(from, from + BATCH);
    const holders = await redis.values(batch.map((name) => `g2c/aliases/${name}`));
    for (const [index, name] of batch.entries()) {
      const id = holders[index] ?? "";
      if (ids.has(id)) found.set(name, id);
      else leaveOut(id, `its alias ${shown(name)} has outlived it`);
    }
  }
  for (const key of keys) {
    const id = /^g2c\/ids\/(.+)\/aliases$/s.exec(key)?.[1];
    if (id === undefined || !ids.has(id)) continue;
    for (const name of await redis.members(key)) {
      const holder: string = found.get(name) ?? id;
      if (holder === id) found.set(name, id);
      else leaveOut(id, `its alias ${shown(name)} led to ${holder}`);
    }
  }
  const aliases = new Map<string, string[]>();
  for (const [name, id] of found) aliases.set(id, [...aliases.get(id) ?? [], name]);
  return aliases;
}

function highest(name: string, value: string | null | undefined, most: number): number {
  const number = Number(value ?? 0);
  if (Number.isInteger(number) && number >= 0 && number <= most) return number;
  throw new PetitError("import-unreadable", `"${name}" is ${shown(value)}, and wanted is a whole number up to ${most}`);
}

/** As the server of 0.6.x took it: what is no JSON is nothing. */
function parsed(vitae: string | null | undefined): unknown {
  try {
    return JSON.parse(vitae ?? "null");
  } catch {
    return null;
  }
}
