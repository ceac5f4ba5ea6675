import type { ProbeWish } from "../../tunnel/messages.ts";
import { connect } from "./connect.ts";
import type { Dialogue } from "./converse.ts";
import { http } from "./http.ts";
import { mysql } from "./mysql.ts";
import { postgresql } from "./postgresql.ts";
import { tds } from "./tds.ts";

const DATABASES: Readonly<Record<string, () => Dialogue>> = { mysql, postgresql, tds };

/** A path and a host name that can stand in the head of a request. */
const PATH = /^\/[\x21-\x7e]*$/;
const HOST = /^[A-Za-z0-9.:_[\]-]+$/;

/** Whether a service is left to its callers. */
export const isNever = (wish: ProbeWish | undefined): boolean => wish?.probe === "none";

/**
 * Whether it is looked at from time to time while nobody calls. A bare connection is not repeated: to a service that speaks first it is
 * a caller who hangs up, and MySQL blocks the client's host after 100 of those (max_connect_errors), with all callers who come from there.
 */
export function isRepeated(wish: ProbeWish | undefined): boolean {
  return wish !== undefined && (Object.hasOwn(DATABASES, wish.probe) || isHttp(wish));
}

/** How to probe a service, as its client wishes; what a later client may wish that is not known here, by a connection. @param blindly as of `connect` */
export function dialogueOf(wish: ProbeWish | undefined, blindly = false): Dialogue {
  if (wish === undefined) return connect(blindly);
  if (isHttp(wish)) return http(wish.probe, wish.host);
  return Object.hasOwn(DATABASES, wish.probe) ? (DATABASES[wish.probe] as () => Dialogue)() : connect(blindly);
}

const isHttp = ({ probe, host }: ProbeWish): boolean => PATH.test(probe) && HOST.test(host);
