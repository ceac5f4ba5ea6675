import process from "node:process";
import { loadConfig } from "../config/load.ts";
import { PetitError } from "../error.ts";
import { openRegistry } from "../registry/open_registry.ts";
import type { Registry } from "../registry/registry.ts";
import type { Invocation } from "./command.ts";
import { configFile } from "./values.ts";

/** RFC 1123, section 2.1: letters, digits and hyphens in parts of at most 63, parted by dots. */
const HOST_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function addAlias(invocation: Invocation): number {
  return change(
    invocation,
    (registry, id, alias) => registry.addAlias(id, alias),
    (id, alias) => `${alias} leads to ${id} now`,
  );
}

export function removeAlias(invocation: Invocation): number {
  return change(
    invocation,
    (registry, id, alias) => registry.removeAlias(id, alias),
    (id, alias) => `${alias} no longer leads to ${id}`,
  );
}

function change(
  invocation: Invocation,
  work: (registry: Registry, id: string, alias: string) => void,
  done: (id: string, alias: string) => string,
): number {
  const [id, typed] = invocation.positionals;
  if (id === undefined || typed === undefined) {
    throw new PetitError("usage", "Wanted: an id and an alias", { exitCode: 2 });
  }
  const alias = typed.toLowerCase();
  if (!/^\d{1,15}$/.test(id)) {
    throw new PetitError("usage", `"${id}" is not an id`, { hint: "Wanted: a number such as 1001", exitCode: 2 });
  }
  if (!HOST_NAME.test(alias)) {
    throw new PetitError("alias-invalid", `"${typed}" is not a host name`, {
      hint: "Wanted: a name such as db.example.com",
      exitCode: 2,
    });
  }
  const registry = openRegistry(loadConfig(configFile(invocation)).config.server.registryUrl);
  try {
    work(registry, id, alias);
  } finally {
    registry.close();
  }
  process.stdout.write(`${done(id, alias)}\n`);
  return 0;
}
