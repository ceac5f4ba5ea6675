import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { defaultConfigFile } from "../../platform/paths.ts";
import type { Candidate } from "./candidates.ts";

/**
 * Values that a client's state folder tells: names of tenants, and ids of their registrations. What cannot be read is none: a
 * person who types wants no error here. A server's ids are not looked up: that would open its registry at every key.
 */
export function lookUpState(kind: string, typed: readonly string[]): readonly Candidate[] {
  if (typed[0] === "server" || (kind !== "TENANT" && kind !== "ID")) return [];
  try {
    const tenants = join(dirname(configFileIn(typed)), "tenants");
    return readdirSync(tenants).sort().flatMap((name) => {
      const id = idOf(join(tenants, name, "registration"));
      if (kind === "TENANT") {
        return [{ value: name, description: id === undefined ? "tenant" : `tenant, registered as ${id}` }];
      }
      return id === undefined ? [] : [{ value: id, description: `registration of tenant ${name}` }];
    });
  } catch {
    return [];
  }
}

function idOf(file: string): string | undefined {
  try {
    return String((JSON.parse(readFileSync(file, "utf8")) as { id: string | number }).id);
  } catch {
    return undefined;
  }
}

/** The config file that was typed; a shell leaves the "~" to petit here. */
function configFileIn(typed: readonly string[]): string {
  const line = typed.join("\n").replaceAll("\n=\n", "=");
  const file = /(?:^|\n)(?:-c|--config)[\n=]([^\n]+)/.exec(line)?.[1];
  return file === undefined ? defaultConfigFile() : file.replace(/^~(?=[\\/])/, homedir());
}
