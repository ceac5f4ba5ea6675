import type { Dialogue } from "./converse.ts";
import { looksLikeMysql, mysql } from "./mysql.ts";

/** Milliseconds for a service that speaks first to do so. */
const LISTENED_FOR = 250;

/** Milliseconds in which a client that has not reached its service has the connection closed, where it was opened blindly. */
const REFUSED_WITHIN = 1000;

/**
 * The service takes connections: nothing more is asked of it. But whoever hangs up on MySQL's greeting is counted by it, and blocked in
 * the end (mysql.ts); that is listened for, and answered politely.
 *
 * @param blindly whether the connection says nothing of the service yet: it is well then when the client has not closed it in time
 */
export function connect(blindly = false): Dialogue {
  const polite = mysql();
  return {
    wanted: "a connection",
    within: blindly ? REFUSED_WITHIN : LISTENED_FOR,
    ...(blindly ? { silence: { well: true } as const } : {}),
    begin(talk) {
      if (!blindly) talk.found({ well: true });
    },
    received(bytes, talk) {
      talk.found({ well: true });
      if (looksLikeMysql(bytes)) polite.received(bytes, talk);
      else talk.over();
    },
  };
}
