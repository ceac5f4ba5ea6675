import type { Registration } from "../../registry/registry.ts";
import type { SshClient } from "./ssh_client.ts";

/** Whether a user name is meant as the id of a registration. */
export function isId(user: string): boolean {
  return /^\d+$/.test(user);
}

/** What a client is told of: the registration that it logged in as, or all those of its key. */
export function ownRegistrations({ user, own }: Pick<SshClient, "user" | "own">): readonly Registration[] {
  if (isId(user)) return own.filter(({ id }) => id === user);
  return [...own].sort((one, other) => Number(one.id) - Number(other.id));
}
