import { readFileSync, realpathSync, statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { closest } from "../closest.ts";
import type { SettingValue } from "../config/effective.ts";
import { parseConfig } from "../config/load.ts";
import { sections } from "../config/schema.ts";
import { TomlDocument, TomlSyntaxError } from "../config/toml.ts";
import { messageOf, PetitError } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";

/**
 * Sets values in a config file, by "section.key"; everything else in it stays as it is, comments too. The file is written as a whole
 * or not at all, and not at all where the result would be wrong.
 *
 * @throws PetitError `setting-unknown`, `config-unreadable`, `config-syntax`, `config-invalid` or `state-unwritable`
 */
export function changeConfig(
  file: string,
  role: "server" | "client",
  changes: Readonly<Record<string, SettingValue>>,
): void {
  for (const name of Object.keys(changes)) refuseUnknown(name, role);
  let before: string;
  let path: string;
  try {
    // A link stays one: what it leads to is written.
    path = realpathSync(file);
    before = readFileSync(path, "utf8");
  } catch (cause) {
    throw new PetitError("config-unreadable", `Cannot read the config file "${file}": ${messageOf(cause)}`, { cause });
  }
  const after = changed(before, changes, file);
  if (after !== before) writeStateFile(path, after, statSync(path).mode & 0o777);
}

function changed(before: string, changes: Readonly<Record<string, SettingValue>>, file: string): string {
  // What is wrong already is said with its place in the file.
  parseConfig(before, file);
  let text = before;
  try {
    for (const [name, value] of Object.entries(changes)) {
      const { section, key } = split(name);
      const document = new TomlDocument(text);
      if (isDeepStrictEqual(document.get([...section.split("."), key]), value)) continue;
      text = document.with(section, key, value);
    }
    parseConfig(text, file);
  } catch (error) {
    const invalid = error instanceof TomlSyntaxError ||
      (error instanceof PetitError && error.code.startsWith("config-"));
    if (!invalid) throw error;
    // The place would be one in a text that nobody has seen.
    const message = messageOf(error).replace(/^.*?:\d+:\d+: /s, "");
    throw new PetitError("config-invalid", `Cannot change the config: ${message}`, { exitCode: 2, cause: error });
  }
  return text;
}

function split(name: string): { section: string; key: string } {
  const dot = name.lastIndexOf(".");
  return { section: name.slice(0, dot), key: name.slice(dot + 1) };
}

function refuseUnknown(name: string, role: "server" | "client"): void {
  const known = sections[role].flatMap(([section, shape]) =>
    Object.entries(shape).filter(([, schema]) => schema.meta()?.["doc"] !== undefined).map(([key]) =>
      `${section}.${key}`
    )
  );
  if (known.includes(name)) return;
  const nearest = closest(name, known);
  throw new PetitError("setting-unknown", `There is no setting "${name.slice(0, 80)}" of the ${role}`, {
    hint: nearest === undefined ? 'Settings are named as in "server.idleTimeout"' : `Did you mean "${nearest}"`,
    exitCode: 2,
  });
}
