import { type Field, isToken, type Leniency, parseFields } from "./fields.ts";
import { MessageError } from "./message_error.ts";

/** The head of a request (RFC 9112, section 3). */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** Minor version of HTTP/1. */
  readonly minor: 0 | 1;
  readonly fields: readonly Field[];
}

/** The head of an answer (RFC 9112, section 4). */
export interface ResponseHead {
  readonly minor: 0 | 1;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
}

const CR = 0x0d;
const LF = 0x0a;

/**
 * Characters that a request target may hold; obs-text too, since callers send raw UTF-8. No "#": a target has no fragment (RFC 9112,
 * section 3.2), and some services cut it off where others do not.
 */
const TARGET = /^[\x21\x22\x24-\x7e\x80-\xff]+$/;
const STATUS_LINE = /^HTTP\/1\.(\d) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

/**
 * Index behind the empty line that ends a head, or -1 where it is not complete.
 *
 * @param from how many of the bytes an earlier call has searched
 * @throws MessageError at a line that does not end with CRLF: waiting for more would only hide it
 */
export function headEnd(bytes: Buffer, from = 0): number {
  const end = bytes.indexOf("\r\n\r\n", Math.max(0, from - 3));
  if (end >= 0) return end + 4;
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (at === 0 || bytes[at - 1] !== CR) throw new MessageError("A line ends without a carriage return");
  }
  return -1;
}

/** Number of bytes of the one empty line that a server ignores before a request (RFC 9112, section 2.2). */
export function emptyLineAt(bytes: Buffer): number {
  return bytes.length >= 2 && bytes[0] === CR && bytes[1] === LF ? 2 : 0;
}

/** Parses a request's head; `bytes` ends with the empty line. @throws MessageError */
export function parseRequestHead(bytes: Buffer): RequestHead {
  const lines = linesOf(bytes);
  const first = lines[0] as string;
  const one = first.indexOf(" ");
  const two = first.indexOf(" ", one + 1);
  if (one < 0 || two < 0 || first.indexOf(" ", two + 1) >= 0) {
    throw new MessageError('The request line is not "method target version"');
  }
  const method = first.slice(0, one);
  const target = first.slice(one + 1, two);
  const version = first.slice(two + 1);
  if (!isToken(method)) throw new MessageError("The method is not a token");
  if (!TARGET.test(target)) throw new MessageError("The request target holds a character that is not allowed there");
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    if (!/^HTTP\/\d\.\d$/.test(version)) throw new MessageError("The request line names no HTTP version");
    throw new MessageError(`${version} is not spoken here`, "version-unsupported", 505);
  }
  return { method, target, minor: version === "HTTP/1.1" ? 1 : 0, fields: parseFields(lines, 1) };
}

/** Parses an answer's head; `bytes` ends with the empty line. @throws MessageError */
export function parseResponseHead(bytes: Buffer): ResponseHead {
  const lines = linesOf(bytes);
  const match = STATUS_LINE.exec(lines[0] as string);
  if (match === null) throw new MessageError("The status line is not one of HTTP/1");
  const status = Number(match[2]);
  if (status < 100) throw new MessageError("The status code is below 100");
  const leniency: Leniency = "mend";
  return { minor: match[1] === "0" ? 0 : 1, status, reason: match[3] ?? "", fields: parseFields(lines, 1, leniency) };
}

function linesOf(bytes: Buffer): string[] {
  // A CR or LF that is not part of a CRLF stays inside its line, where the checks of that line refuse it.
  return bytes.toString("latin1", 0, bytes.length - 4).split("\r\n");
}

/** The bytes of a head, from its first line and its fields. */
export function headText(firstLine: string, fields: readonly Field[], more: string): string {
  let text = `${firstLine}\r\n`;
  for (const field of fields) text += `${field.name}: ${field.value}\r\n`;
  return `${text}${more}\r\n`;
}
