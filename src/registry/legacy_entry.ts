import { DEFAULT_BRAND } from "../default_brand.ts";
import { messageOf } from "../error.ts";
import { UNTOLD_CLIENT } from "../tunnel/legacy_messages.ts";
import type { ClientVitae } from "../tunnel/messages.ts";
import { checkedAlias } from "./alias.ts";
import type { ImportConflict, ImportedRegistration } from "./registry.ts";
import { sshKeyOfPem } from "./ssh_key_of_pem.ts";

/** What a server of 0.6.x kept, whether in a file or in a Redis. */
export interface LegacyRegistry {
  readonly registrations: readonly ImportedRegistration[];
  /** The highest id and port that were given away. */
  readonly highest: { readonly id: number; readonly port: number };
  /** What cannot be taken in, with the reason. */
  readonly problems: readonly ImportConflict[];
  /** What is left out because it was of no use to the server of 0.6.x either, with the reason. */
  readonly leftOut: readonly ImportConflict[];
}

/** The highest numbers that are believed. */
export const MOST_ID = 999_999_999_999_999;
export const MOST_PORT = 65_535;

type Json = Record<string, unknown>;

/**
 * Reads a registration `{port, key, vitae, aliases}`.
 *
 * @param problem told what is wrong with it
 * @returns undefined where anything is
 */
export function readLegacyEntry(
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
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > MOST_PORT) {
    wrong(`its port is ${shown(port)}, and wanted is a whole number from 1 to ${MOST_PORT}`);
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
    ...{ brand: told?.brand ?? DEFAULT_BRAND, aliases: [...names], vitae: told },
  };
}

function clientVitae(vitae: unknown): ClientVitae | null {
  if (!isObject(vitae)) return null;
  const known = ["brand", "bundle", "hostname", "arch", "platform", "release", "version"].flatMap((name) => {
    const value = vitae[name];
    return typeof value === "string" ? [[name, value.slice(0, 256)]] : [];
  });
  return { ...UNTOLD_CLIENT, ...Object.fromEntries(known) };
}

/** A value as it stands there, cut short. */
export function shown(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? "missing";
  } catch {
    // Nested more deeply than can be written.
    return typeof value;
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
