import { headEnd, parseResponseHead } from "../../http/head.ts";
import { messageOf } from "../../error.ts";
import { version } from "../../platform/version.ts";
import { type Dialogue, unwell } from "./converse.ts";

/**
 * A GET of a path. Whatever the service answers below 500 shows that it works: 401 and 404 are answers too.
 *
 * @param path begins with "/"; visible ASCII
 * @param host for the Host field
 */
export function http(path: string, host: string): Dialogue {
  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: petit-probe/${version}\r\nAccept: */*\r\n` +
    `Connection: close\r\n\r\n`;
  let from = 0;
  return {
    wanted: `an answer to GET ${path}`,
    begin: (talk) => talk.send(Buffer.from(request, "latin1")),
    received(bytes, talk) {
      try {
        for (;;) {
          // What is no HTTP at all has no end of a head to wait for.
          if (!"HTTP/1.".startsWith(bytes.toString("latin1", from, Math.min(bytes.length, from + 7)))) {
            return talk.over();
          }
          const line = bytes.indexOf("\r\n", from);
          if (line < 0) return;
          const { status, reason } = parseResponseHead(
            Buffer.from(`${bytes.toString("latin1", from, line)}\r\n\r\n`, "latin1"),
          );
          // An interim answer (RFC 9110, section 15.2); another follows.
          if (status < 200) {
            const end = headEnd(bytes, from);
            if (end < 0) return;
            from = end;
            continue;
          }
          // An answer is read as Latin-1, which has control characters of its own.
          const said = reason.replace(/[\t\x7f-\x9f]/g, " ").slice(0, 80);
          const told = `${status}${said === "" ? "" : ` ${said}`}`;
          talk.found(status < 500 ? { well: true } : unwell(`It answered GET ${path} with ${told}`));
          return talk.over();
        }
      } catch (error) {
        talk.found(unwell(`Its answer to GET ${path} is not HTTP: ${messageOf(error)}`));
        talk.over();
      }
    },
  };
}
