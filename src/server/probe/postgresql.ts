import { type Dialogue, unwell } from "./converse.ts";

/**
 * GSSENCRequest: length, code. Like SSLRequest it needs neither user nor database, and the server waits for no more than it got; but whoever
 * hangs up after an SSLRequest leaves "could not accept SSL connection: EOF detected" in the log of a server with TLS, each time. Seen with
 * PostgreSQL 15: after this one there is nothing.
 */
const GSSENC_REQUEST = Buffer.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30);

/** What servers before PostgreSQL 12 say to it, SQLSTATE "feature not supported": they work. */
const UNSUPPORTED = "0A000";

/** An error may be no longer than this, as in libpq. */
const MAX_ERROR = 8 * 1024;

/** PostgreSQL waits for the client to speak. It answers with one byte whether it encrypts in the way asked for, or with an error. */
export function postgresql(): Dialogue {
  return {
    wanted: "a PostgreSQL server's answer to a GSSENCRequest",
    begin: (talk) => talk.send(GSSENC_REQUEST),
    received(bytes, talk) {
      const [first] = bytes;
      // G: yes. N: no. S is a yes too, of those who take any question for one about TLS.
      if (bytes.length === 1 && (first === 0x47 || first === 0x4e || first === 0x53)) talk.found({ well: true });
      else if (first === 0x45) {
        const error = errorIn(bytes);
        if (error === undefined) return;
        if (error.endsWith(`(${UNSUPPORTED})`)) talk.found({ well: true });
        else if (error !== "") talk.found(unwell(`The PostgreSQL server refuses: ${error}`));
      }
      talk.over();
    },
  };
}

/** The text of an ErrorResponse; undefined while it is not there as a whole, "" where it is none. */
function errorIn(bytes: Buffer): string | undefined {
  if (bytes.length < 5) return undefined;
  const length = bytes.readUInt32BE(1);
  if (length > MAX_ERROR) return "";
  if (bytes.length < 1 + length) return undefined;
  // Fields: a letter and a text, each with a zero at its end. M is the message, C the SQLSTATE.
  const fields = bytes.toString("utf8", 5, 1 + length).split("\0");
  const field = (letter: string) => fields.find((one) => one.startsWith(letter))?.slice(1);
  const [message, state] = [field("M"), field("C")];
  if (message === undefined) return "";
  const text = shown(message);
  return state === undefined ? text : `${text} (${shown(state)})`;
}

function shown(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 300);
}
