import { byId, isId } from "../registry/registration_id.ts";
import type { Registration } from "../registry/registry.ts";

/** Whatever the registry says: below it are the ports of this machine's own services. */
const FIRST_UNPRIVILEGED = 1024;

/** Registrations that a refusal lists. */
const MAX_LISTED = 20;

/** A request for a remote forward, and who makes it. */
export interface AskedForward {
  readonly port: number;
  /** The name that was logged in with. */
  readonly user: string;
  /** The registrations that are its key's now; none for whoever may only register. */
  readonly own: readonly Registration[];
  /** Whether its connection forwards a registration already. */
  isServed(id: string): boolean;
}

/**
 * The registration that is meant, where it may be forwarded. Port 0 means that of the id that was logged in with, or else the only one that
 * the key has; once in a connection, since two services cannot have one port.
 */
export function askedRegistration(asked: AskedForward): Registration | undefined {
  const { port, isServed } = asked;
  const own = asked.own.filter(({ port }) => port >= FIRST_UNPRIVILEGED);
  if (port !== 0) return own.find((registration) => registration.port === port);
  const meant = meantByZero({ ...asked, own });
  return meant === undefined || isServed(meant.id) ? undefined : meant;
}

/** Why it is refused, for whoever asked. */
export function whyRefused(asked: AskedForward): string {
  const list = [...asked.own].sort(byId).slice(0, MAX_LISTED).map(({ id, port }) => `${port} (${id})`).join(", ");
  const may = `this key may forward ${list || "none"}`;
  if (asked.port !== 0) return `Port ${asked.port} is not one of this key's; it may forward ${list || "none"}`;
  const meant = meantByZero(asked);
  return meant === undefined
    ? `Port 0 stands for the id that is logged in with, or for the only registration of a key; ${may}`
    : `Port 0 stands for ${meant.port} (${meant.id}), which this connection forwards already; ${may}`;
}

function meantByZero({ user, own }: Pick<AskedForward, "user" | "own">): Registration | undefined {
  return isId(user) ? own.find(({ id }) => id === user) : own.length === 1 ? own[0] : undefined;
}
