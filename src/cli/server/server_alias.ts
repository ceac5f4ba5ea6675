import process from "node:process";
import { PetitError } from "../../error.ts";
import { checkedAlias } from "../../registry/alias.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { registrationId } from "./registration_id.ts";
import { withRegistry } from "./with_registry.ts";

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
  const [typedId, typedAlias] = invocation.positionals;
  if (typedId === undefined || typedAlias === undefined) {
    throw new PetitError("usage", "Wanted: an id and an alias", { exitCode: 2 });
  }
  const id = registrationId(typedId);
  const alias = checkedAlias(typedAlias);
  withRegistry(invocation, (registry) => work(registry, id, alias));
  process.stdout.write(`${done(id, alias)}\n`);
  return 0;
}
