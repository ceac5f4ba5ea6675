import { type Dialogue, printed, type Talk, unwell } from "./converse.ts";

/** Bytes before a packet: its length, little-endian, and its number in the exchange. */
const HEAD = 4;

/** Greetings are below 200 bytes; what seems longer is something else. */
const MAX_GREETING = 4096;

const PROTOCOL_10 = 0x0a;
const OK = 0x00;
const SWITCH = 0xfe;
const ERROR = 0xff;

/** After so many changes of the way to authenticate nobody knows any more what the server wants. */
const MAX_SWITCHES = 3;

/**
 * MySQL and MariaDB speak first: a greeting with their version, or an error, such as 1040 "Too many connections".
 *
 * Whoever hangs up then is counted as a handshake error of its host, and blocked after max_connect_errors (100) of them in a row: "Host is
 * blocked because of many connection errors". To MySQL the host is that of petit's client, which all callers come from. Both servers add up
 * what fails as a handshake only (SUM_CONNECT_ERRORS in performance_schema.host_cache); a login that they refuse counts as an authentication error, for which nobody is blocked. So the probe
 * logs in as a user that there is none of, without a password, and takes the refusal (1045). With a user of that name it gets in and quits.
 */
export function mysql(): Dialogue {
  let greeted = false;
  let at = 0;
  let switches = 0;
  return {
    wanted: "the greeting of a MySQL or MariaDB server",
    begin() {},
    received(bytes, talk) {
      for (let packet = packetAt(bytes, at); packet !== undefined; packet = packetAt(bytes, at)) {
        at += HEAD + packet.payload.length;
        if (!greeted) {
          if (!greet(packet, talk)) return;
          greeted = true;
        } else if (packet.payload[0] === SWITCH && switches++ < MAX_SWITCHES) {
          // Whatever way it is: without a password there is nothing to prove.
          talk.send(packetOf(packet.number + 1, Buffer.alloc(0)));
        } else {
          if (packet.payload[0] === OK) talk.send(packetOf(0, QUIT));
          return talk.over();
        }
      }
      if (!greeted && isSomethingElse(bytes)) talk.over();
    },
  };
}

/** Whether the bytes, as far as they go, may be a greeting or an error. */
export function looksLikeMysql(bytes: Buffer): boolean {
  return !isSomethingElse(bytes);
}

function isSomethingElse(bytes: Buffer): boolean {
  if (bytes.length >= 3 && bytes.readUIntLE(0, 3) > MAX_GREETING) return true;
  // The first packet of an exchange has the number 0.
  return bytes.length > 3 && bytes[3] !== 0 || bytes.length > 4 && bytes[4] !== PROTOCOL_10 && bytes[4] !== ERROR;
}

/** Tells what the greeting says, and answers it; false ends the dialogue. */
function greet({ number, payload }: Packet, talk: Talk): boolean {
  if (number !== 0) return talk.over(), false;
  if (payload[0] === ERROR) {
    talk.found(unwell(`The MySQL server refuses: ${errorText(payload)}`));
  } else if (payload[0] === PROTOCOL_10 && payload.indexOf(0, 1) > 1) {
    talk.found({ well: true });
    talk.send(packetOf(1, LOGIN));
    return true;
  }
  talk.over();
  return false;
}

/** "Too many connections (1040)" */
function errorText(payload: Buffer): string {
  if (payload.length < 3) return printed(payload);
  // A marker and the five characters of SQLSTATE, which are left out before the greeting.
  const from = payload[3] === 0x23 ? 9 : 3;
  const text = payload.toString("utf8", from).replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 300);
  return `${text} (${payload.readUInt16LE(1)})`;
}

interface Packet {
  readonly number: number;
  readonly payload: Buffer;
}

/** The packet that begins at `at`; undefined while it is not there as a whole. */
function packetAt(bytes: Buffer, at: number): Packet | undefined {
  if (bytes.length < at + HEAD) return undefined;
  const end = at + HEAD + bytes.readUIntLE(at, 3);
  if (bytes.length < end || end === at + HEAD) return undefined;
  return { number: bytes[at + 3] as number, payload: bytes.subarray(at + HEAD, end) };
}

function packetOf(number: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = number & 0xff;
  return Buffer.concat([head, payload]);
}

/** COM_QUIT */
const QUIT = Buffer.of(0x01);

/** CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;

/** HandshakeResponse41: capabilities, largest packet, character set utf8, 23 zeros, user, no password, way to authenticate. */
const LOGIN = Buffer.concat([
  Buffer.from(Uint32Array.of(CAPABILITIES, 0x0100_0000).buffer),
  Buffer.of(33),
  Buffer.alloc(23),
  Buffer.from("petit-probe\0", "latin1"),
  Buffer.of(0),
  Buffer.from("mysql_native_password\0", "latin1"),
]);
