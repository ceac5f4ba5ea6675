import process from "node:process";
import type { Registration } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { registrationId } from "./registration_id.ts";
import { printable } from "../../text_width.ts";
import { withRegistry } from "./with_registry.ts";

export function serverUnregister(invocation: Invocation): number {
  const id = registrationId(invocation.positionals[0]);
  const gone = withRegistry(invocation, (registry) => registry.unregister(id));
  process.stdout.write(invocation.values["json"] === true ? `${JSON.stringify(facts(gone))}\n` : told(gone));
  return 0;
}

function facts({ id, port, fingerprint, brand, tenant, aliases, vitae, createdAt }: Registration): object {
  return {
    ...{ registeredId: id, port, fingerprint, brand, tenant, aliases, vitae },
    createdAt: new Date(createdAt).toISOString(),
  };
}

function told({ id, port, fingerprint, brand, aliases, vitae }: Registration): string {
  const host = vitae?.hostname === undefined ? "" : `, host ${vitae.hostname}`;
  return `${printable(`Removed registration ${id}: port ${port}, brand ${brand}${host}, key ${fingerprint}`)}\n` +
    (aliases.length === 0
      ? ""
      : `With it went ${aliases.length === 1 ? "its alias" : "its aliases"} ${aliases.join(", ")}\n`) +
    "Its id and port are given to no other key.\n";
}
