import { byId, isId } from "../../registry/registration_id.ts";
import type { Registration } from "../../registry/registry.ts";
import type { SshClient } from "./ssh_client.ts";

/** What a client is told of: the registration that it logged in as, or all those of its key. */
export function ownRegistrations({ user, own }: Pick<SshClient, "user" | "own">): readonly Registration[] {
  if (isId(user)) return own.filter(({ id }) => id === user);
  return [...own].sort(byId);
}
