import { PetitError } from "../error.ts";

/** A setting of 0.6.x that petit has no more, or one of its values, and what became of it. */
export interface FormerSetting {
  /** Its section and key, such as "server.registryfile". */
  readonly name: string;
  /** The values that are meant; left out where all are. */
  readonly values?: RegExp;
  /** What follows the name in a sentence: what became of it. */
  readonly became: string;
  /** Where the daemon would do something else than its operator wants: what to do first. Such a setting is refused, others are left out with a warning. */
  readonly first?: string;
}

/** A former setting that stands in a config file; the config is as if it did not. */
export interface FoundFormer extends FormerSetting {
  /** "FILE:LINE:COLUMN". */
  readonly at: string;
  /** As it stands there; a URL may hold a password. */
  readonly value: unknown;
}

/** Those of config.toml. A file of 0.6.x has both daemons' sections, whichever of them runs. */
export const formerSettings: readonly FormerSetting[] = [
  {
    name: "server.registryUrl",
    values: /^rediss?:/i,
    became: "names a Redis of petit 0.6, and registrations are kept in a file of their own now",
    first:
      'Run "petit server import", which takes in what that Redis holds; then set registryUrl = "sqlite:./registry.db"',
  },
  {
    name: "server.registryfile",
    became:
      'means nothing any more: registryUrl says where registrations are kept, and "petit server import" takes in such a file',
  },
  { name: "server.statsUrl", became: "means nothing any more: usage is counted in the file that usageUrl names" },
  { name: "server.esUrl", became: "means nothing any more: usage is counted in the file that usageUrl names" },
  { name: "client.passphrase", became: "means nothing any more: it is the mode of its file that protects the key" },
  ...["server.logLevel", "client.logLevel"].map((name) => ({
    name,
    values: /^(?:http|verbose|silly)$/,
    became: 'has a level that petit has no more; it is as if it were "info"',
  })),
];

/** A config's values without the former settings among them, each of which is told. */
export function withoutFormer(
  values: Record<string, unknown>,
  former: readonly FormerSetting[],
  tell: (setting: FormerSetting & { value: unknown }, path: readonly string[]) => void,
): Record<string, unknown> {
  let rest = values;
  for (const setting of former) {
    const path = setting.name.split(".");
    const value = path.reduce<unknown>((above, key) => isTable(above) ? above[key] : undefined, rest);
    if (value === undefined || setting.values?.test(String(value)) === false) continue;
    rest = without(rest, path);
    tell({ ...setting, value }, path);
  }
  return rest;
}

/** What the operator of a daemon is told of a former setting in its config. */
export interface ToldFormer {
  readonly sentence: string;
  /** What has to be done before the daemon can do its work; undefined where it can. */
  readonly first: string | undefined;
}

/** All that its operator is told of the former settings of a daemon. */
export function toldFormer(role: "server" | "client", former: readonly FoundFormer[]): ToldFormer[] {
  const own = former.filter(({ name }) => name.startsWith(`${role}.`));
  return own.map(({ at, name, became, first }) => ({ sentence: `${at}: "${name}" ${became}`, first }));
}

/** Of those that are left out. */
export function formerWarnings(role: "server" | "client", former: readonly FoundFormer[]): string[] {
  return toldFormer(role, former).filter(({ first }) => first === undefined).map(({ sentence }) => sentence);
}

/** @throws PetitError `config-former` where a setting has to be replaced before the daemon can do its work */
export function refuseFormer(role: "server" | "client", former: readonly FoundFormer[]): void {
  const refused = toldFormer(role, former).find(({ first }) => first !== undefined);
  if (refused?.first === undefined) return;
  throw new PetitError("config-former", refused.sentence, { hint: refused.first, exitCode: 2 });
}

function without(table: Record<string, unknown>, [key = "", ...below]: readonly string[]): Record<string, unknown> {
  const { [key]: value, ...others } = table;
  return below.length === 0 || !isTable(value) ? others : { ...table, [key]: without(value, below) };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
