import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseConfig } from "../config/load.ts";
import { configTemplate, type Overrides } from "../config/template.ts";
import { TomlDocument } from "../config/toml.ts";
import { PetitError } from "../error.ts";
import { makeStateFolder, writeStateFile } from "../platform/state_file.ts";
import { refuseLooseState } from "../platform/strict_modes.ts";

/**
 * Writes the sections of a role into a config file: a new one, or one that has only the other role's so far.
 *
 * @returns absolute path of the file
 * @throws PetitError `config-exists`, or as `refuseLooseState`
 */
export function initConfig(path: string, role: "server" | "client", overrides: Overrides): string {
  const file = resolve(path);
  let before = "";
  if (existsSync(file)) {
    before = readFileSync(file, "utf8");
    parseConfig(before, file);
    if (new TomlDocument(before).value[role] !== undefined) {
      throw new PetitError("config-exists", `"${file}" has a [${role}] section already; nothing was changed`, {
        hint: "Edit that file, or name another one with --config",
      });
    }
  }
  makeStateFolder(dirname(file));
  // Before there is a secret in it.
  refuseLooseState(dirname(file), [file]);
  const text = `${before}${before === "" || before.endsWith("\n\n") ? "" : "\n"}${configTemplate(role, overrides)}`;
  parseConfig(text, file);
  writeStateFile(file, text);
  return file;
}
