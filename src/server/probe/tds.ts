import type { Dialogue } from "./converse.ts";

/** Bytes before a TDS packet (MS-TDS, section 2.2.3.1): type, status, length, process, number, window. */
const HEAD = 8;

const PRELOGIN = 0x12;
const TABULAR_RESULT = 0x04;
const LAST = 0x01;

/** The list of options ends with it. */
const TERMINATOR = 0xff;
const VERSION = 0x00;

/**
 * SQL Server waits for a pre-login message and answers with one of its own, which has its version (MS-TDS, section 2.2.6.5). Nobody has said
 * who he is by then.
 */
export function tds(): Dialogue {
  return {
    wanted: "the pre-login answer of a SQL Server",
    begin: (talk) => talk.send(PRELOGIN_MESSAGE),
    received(bytes, talk) {
      const [type, status] = bytes;
      // An answer as large as this server would never be: all options together are some 40 bytes.
      if (type !== TABULAR_RESULT || status !== undefined && (status & LAST) === 0) return talk.over();
      if (bytes.length < HEAD) return;
      const length = bytes.readUInt16BE(2);
      if (length < HEAD || length > 4096) return talk.over();
      if (bytes.length < length) return;
      if (hasVersion(bytes.subarray(HEAD, length))) talk.found({ well: true });
      talk.over();
    },
  };
}

/** Whether it is a list of options with a version, which is the first and must be there. */
function hasVersion(payload: Buffer): boolean {
  if (payload.length < 6 || payload[0] !== VERSION) return false;
  const offset = payload.readUInt16BE(1);
  const size = payload.readUInt16BE(3);
  return size >= 6 && offset + size <= payload.length && payload.indexOf(TERMINATOR, 5) > 0;
}

/** Options: token, offset, length. Version 0, and encryption "not supported", which every server has an answer to. */
const PRELOGIN_MESSAGE = (() => {
  const options = Buffer.of(VERSION, 0, 11, 0, 6, 0x01, 0, 17, 0, 1, TERMINATOR);
  const values = Buffer.of(0, 0, 0, 0, 0, 0, 0x02);
  const length = HEAD + options.length + values.length;
  return Buffer.concat([Buffer.of(PRELOGIN, LAST, 0, length, 0, 0, 1, 0), options, values]);
})();
