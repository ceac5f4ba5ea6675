import { MessageError } from "./message_error.ts";

/** One field line (RFC 9110, section 5), its name as it was written and in lower case. */
export interface Field {
  readonly name: string;
  readonly lower: string;
  readonly value: string;
}

/** RFC 9110, section 5.6.2: the characters of a token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110, section 5.5: what a field value must not hold. Tab is allowed. */
const FORBIDDEN_IN_VALUE = /[\0-\x08\x0a-\x1f\x7f]/;

const PLAIN_NAME = /^[A-Za-z0-9-]{1,40}$/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** How far to go along with a sender: a caller never, a service where RFC 9112, section 5, has a proxy mend it. */
export type Leniency = "strict" | "mend";

/**
 * Parses field lines.
 *
 * @param lines without their CRLF
 * @param first index of the first field line
 * @throws MessageError
 */
export function parseFields(lines: readonly string[], first: number, leniency: Leniency = "strict"): Field[] {
  const fields: Field[] = [];
  for (let index = first; index < lines.length; index++) {
    const line = lines[index] as string;
    const known = KNOWN_LINES.get(line);
    if (known !== undefined) {
      fields.push(known);
      continue;
    }
    const start = line.charCodeAt(0);
    if (start === 0x20 || start === 0x09) {
      // RFC 9112, section 5.2 (obs-fold): one parser's continuation is the other's new field.
      const last = fields.pop();
      if (leniency === "strict" || last === undefined) throw new MessageError("A field line begins with white space");
      fields.push({ ...last, value: checkedValue(trim(`${last.value} ${trim(line)}`), last.name) });
    } else fields.push(parseLine(line, leniency));
  }
  return fields;
}

/**
 * Lines parsed before. Most lines of most messages are the same as in the message before, and parsing them was a tenth of the
 * work of a request. Only what is right in every message is kept, so it does not matter whose line it was.
 */
const KNOWN_LINES = new Map<string, Field>();
const MAX_KNOWN = 1024;
const MAX_KNOWN_LENGTH = 128;

function parseLine(text: string, leniency: Leniency): Field {
  // What is remembered is a copy: a part of a string keeps the whole head alive.
  const keep = text.length <= MAX_KNOWN_LENGTH;
  const line = keep ? Buffer.from(text, "latin1").toString("latin1") : text;
  const colon = line.indexOf(":");
  if (colon < 0) throw new MessageError("A field line has no colon");
  // RFC 9112, section 5.1: white space before the colon is refused in requests and removed from answers.
  const mended = leniency === "mend" && isBlank(line.charCodeAt(colon - 1));
  const name = mended ? trimEnd(line, colon) : line.slice(0, colon);
  if (!TOKEN.test(name)) throw new MessageError("A field name holds a character that is not allowed there");
  const field = { name, lower: name.toLowerCase(), value: checkedValue(trim(line, colon + 1), name) };
  if (keep && !mended) {
    if (KNOWN_LINES.size >= MAX_KNOWN) KNOWN_LINES.clear();
    KNOWN_LINES.set(line, field);
  }
  return field;
}

function checkedValue(value: string, name: string): string {
  if (FORBIDDEN_IN_VALUE.test(value)) {
    // The sentence goes back to the sender, who shall not choose what stands in it.
    const told = PLAIN_NAME.test(name) ? `The value of the field "${name}"` : "The value of a field";
    throw new MessageError(`${told} holds a control character`);
  }
  return value;
}

/** Without optional white space (space and tab only) at both ends. */
function trim(text: string, from = 0): string {
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** The start of a text up to `to`, without blanks at its end. */
function trimEnd(text: string, to: number): string {
  let end = to;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A name in lower case as CGI and its heirs see it, to whom all punctuation is the same. */
export function withHyphens(lower: string): string {
  return lower.replace(/[^a-z0-9]/g, "-");
}

/** The first value of a field, or undefined. */
export function valueOf(fields: readonly Field[], lower: string): string | undefined {
  for (const field of fields) if (field.lower === lower) return field.value;
  return undefined;
}

/** All values of a field as one list, or undefined where there is none (RFC 9110, section 5.3). */
export function joinedValues(fields: readonly Field[], lower: string): string | undefined {
  let joined: string | undefined;
  for (const field of fields) {
    if (field.lower === lower) joined = joined === undefined ? field.value : `${joined}, ${field.value}`;
  }
  return joined;
}

const NO_MEMBERS: readonly string[] = [];
const KNOWN_LISTS = new Map<string, readonly string[]>();

/** The members of a comma-separated list in lower case (RFC 9110, section 5.6.1), for lists of tokens. */
export function listMembers(value: string | undefined): readonly string[] {
  if (value === undefined) return NO_MEMBERS;
  const known = KNOWN_LISTS.get(value);
  if (known !== undefined) return known;
  const members = value.split(",").map((member) => trim(member).toLowerCase()).filter((member) => member !== "");
  if (value.length <= MAX_KNOWN_LENGTH) {
    if (KNOWN_LISTS.size >= MAX_KNOWN) KNOWN_LISTS.clear();
    KNOWN_LISTS.set(value, members);
  }
  return members;
}

/** RFC 9110, section 7.6.1: fields that concern one connection only, whether Connection names them or not. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Fields that frame or route a message: naming them in Connection does not take them away. */
const NEVER_NOMINATED = new Set(["host", "content-length"]);

/** The names that Connection gives, which go no further than this hop. */
export function nominatedNames(fields: readonly Field[]): readonly string[] {
  const members = listMembers(joinedValues(fields, "connection"));
  return members.some((name) => NEVER_NOMINATED.has(name))
    ? members.filter((name) => !NEVER_NOMINATED.has(name))
    : members;
}

/** Whether a field concerns this hop only, given what `nominatedNames` found. */
export function isHopByHop(lower: string, nominated: readonly string[]): boolean {
  return HOP_BY_HOP.has(lower) || (nominated.length > 0 && nominated.includes(lower));
}

/** The fields that a proxy passes on: all but the hop-by-hop ones and those that Connection names. */
export function endToEnd(fields: readonly Field[]): Field[] {
  const nominated = nominatedNames(fields);
  return fields.filter(({ lower }) => !isHopByHop(lower, nominated));
}
