import { messageOf, PetitError } from "../error.ts";
import { isObject, type LegacyRegistry, MOST_ID, MOST_PORT, readLegacyEntry, shown } from "./legacy_entry.ts";
import type { ImportConflict, ImportedRegistration } from "./registry.ts";

/**
 * Reads the JSON registry file of 0.6.x: `{version: 1, maxRegisteredId, maxRegisteredPort, registeredIds: {ID: {port, key, vitae, aliases}}}`.
 *
 * @throws PetitError `import-unreadable` where it is something else
 */
export function readLegacyRegistry(content: string): LegacyRegistry {
  const unreadable = (why: string, cause?: unknown) =>
    new PetitError("import-unreadable", `This is not a registry file of petit 0.6: ${why}`, {
      hint: 'Wanted: the JSON file that [server] registryfile named, "registry" by default',
      cause,
    });
  let file: unknown;
  try {
    file = JSON.parse(content.replace(/^\ufeff/, ""));
  } catch (error) {
    throw unreadable(`it is not JSON (${messageOf(error)})`, error);
  }
  if (!isObject(file)) throw unreadable("it is not a JSON object");
  if (file["version"] !== 1) {
    throw unreadable(`its version is ${shown(file["version"])}, and wanted is 1`);
  }
  const entries = file["registeredIds"];
  if (!isObject(entries)) throw unreadable('it has no object "registeredIds"');
  const highest = (names: string[], most: number) => {
    const value = names.map((name) => file[name]).find((one) => one !== undefined && one !== null) ?? 0;
    if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most) return Number(value);
    throw unreadable(`its ${names[0]} is ${shown(value)}, and wanted is a whole number up to ${most}`);
  };
  const registrations: ImportedRegistration[] = [];
  const problems: ImportConflict[] = [];
  for (const [id, entry] of Object.entries(entries)) {
    const registration = readLegacyEntry(id, entry, (reason) => problems.push({ id, reason }));
    if (registration !== undefined) registrations.push(registration);
  }
  return {
    registrations,
    problems,
    leftOut: [],
    highest: {
      id: highest(["maxRegisteredId", "lastRegisteredId"], MOST_ID),
      port: highest(["maxRegisteredPort", "lastPort"], MOST_PORT),
    },
  };
}
