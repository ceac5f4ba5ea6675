import type { Dialogue } from "./converse.ts";
import { looksLikeMysql, mysql } from "./mysql.ts";

/** Milliseconds for a service that speaks first to do so. */
const LISTENED_FOR = 250;

/**
 * The service takes connections: nothing more is asked of it. But whoever hangs up on MySQL's greeting is counted by it, and blocked in
 * the end (mysql.ts); that is listened for, and answered politely.
 */
export function connect(): Dialogue {
  const polite = mysql();
  return {
    wanted: "a connection",
    within: LISTENED_FOR,
    begin: (talk) => talk.found({ well: true }),
    received(bytes, talk) {
      if (looksLikeMysql(bytes)) polite.received(bytes, talk);
      else talk.over();
    },
  };
}
