import { messageOf, PetitError } from "../error.ts";
import type { ClientVitae } from "../tunnel/messages.ts";
import { checkedAlias } from "./alias.ts";
import { sshKeyOfPem } from "./legacy_key.ts";
import type { ImportConflict, ImportedRegistration } from "./registry.ts";

/** What a JSON registry file of 0.6.x holds. */
export interface LegacyRegistry {
  readonly registrations: readonly ImportedRegistration[];
  /** The highest id and port that were given away. */
  readonly highest: { readonly id: number; readonly port: number };
  /** What cannot be taken in, with the reason. */
  readonly problems: readonly ImportConflict[];
}

/** A brand where a client told none, as in 0.6.x. */
const BRAND = "ce";

type Json = Record<string, unknown>;

/**
 * Reads `{version: 1, maxRegisteredId, maxRegisteredPort, registeredIds: {ID: {port, key, vitae, aliases}}}`.
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
    const problem = (reason: string) => problems.push({ id, reason });
    const registration = readEntry(id, entry, problem);
    if (registration !== undefined) registrations.push(registration);
  }
  return {
    registrations,
    problems,
    highest: {
      id: highest(["maxRegisteredId", "lastRegisteredId"], 999_999_999_999_999),
      port: highest(["maxRegisteredPort", "lastPort"], 65_535),
    },
  };
}

function readEntry(
  id: string,
  entry: unknown,
  problem: (reason: string) => unknown,
): ImportedRegistration | undefined {
  let good = true;
  const wrong = (reason: string) => {
    good = false;
    problem(reason);
  };
  if (!/^[1-9]\d{0,14}$/.test(id)) wrong(`the id ${shown(id)} is not a number`);
  if (!isObject(entry)) {
    return void wrong(`its entry is ${shown(entry)}, and wanted is an object`);
  }
  const { port, key, aliases, vitae } = entry;
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65_535) {
    wrong(`its port is ${shown(port)}, and wanted is a whole number from 1 to 65535`);
  }
  let ssh = { line: "", fingerprint: "" };
  try {
    if (typeof key !== "string") throw new Error("it is missing");
    ssh = sshKeyOfPem(key);
  } catch (error) {
    wrong(`its key cannot be used: ${messageOf(error)}`);
  }
  const names = new Set<string>();
  if (aliases !== undefined && aliases !== null && !Array.isArray(aliases)) wrong("its aliases are not a list");
  for (const alias of Array.isArray(aliases) ? aliases : []) {
    try {
      names.add(checkedAlias(String(alias)));
    } catch {
      wrong(`its alias ${shown(alias)} is not a host name`);
    }
  }
  if (!good) return undefined;
  const told = clientVitae(vitae);
  return {
    ...{ id, port: Number(port), key: ssh.line, fingerprint: ssh.fingerprint },
    ...{ brand: told?.brand ?? BRAND, aliases: [...names], vitae: told },
  };
}

function clientVitae(vitae: unknown): ClientVitae | null {
  if (!isObject(vitae)) return null;
  const known = ["brand", "bundle", "hostname", "arch", "platform", "release", "version"].flatMap((name) => {
    const value = vitae[name];
    return typeof value === "string" ? [[name, value.slice(0, 256)]] : [];
  });
  return { brand: BRAND, version: "0.6", ...Object.fromEntries(known) };
}

/** A value as it stands in the file, cut short. */
function shown(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? "missing";
  } catch {
    // Nested more deeply than can be written.
    return typeof value;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
