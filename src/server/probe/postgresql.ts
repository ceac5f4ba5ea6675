import { type Dialogue, unwell } from "./converse.ts";

/** SSLRequest: length, code. The one question of the protocol that needs neither user nor database, and ends nothing. */
const SSL_REQUEST = Buffer.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

/** An error may be no longer than this, as in libpq. */
const MAX_ERROR = 8 * 1024;

/**
 * PostgreSQL waits for the client to speak. It answers whether it speaks TLS with one byte, or with an error. Hanging up then is what libpq
 * does where it does not like the answer.
 */
export function postgresql(): Dialogue {
  return {
    wanted: "a PostgreSQL server's answer to an SSLRequest",
    begin: (talk) => talk.send(SSL_REQUEST),
    received(bytes, talk) {
      const [first] = bytes;
      if ((first === 0x53 || first === 0x4e) && bytes.length === 1) talk.found({ well: true });
      else if (first === 0x45) {
        const error = errorIn(bytes);
        if (error === undefined) return;
        if (error !== "") talk.found(unwell(`The PostgreSQL server refuses: ${error}`));
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
  const text = message.replace(/[\x00-\x1f\x7f]+/g, " ").slice(0, 300);
  return state === undefined ? text : `${text} (${state})`;
}
