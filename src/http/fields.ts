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
    const start = line.charCodeAt(0);
    if (start === 0x20 || start === 0x09) {
      // RFC 9112, section 5.2 (obs-fold): one parser's continuation is the other's new field.
      const last = fields.at(-1);
      if (leniency === "strict" || last === undefined) throw new MessageError("A field line begins with white space");
      fields[fields.length - 1] = { ...last, value: checkedValue(`${last.value} ${trim(line)}`, last.name) };
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 0) throw new MessageError("A field line has no colon");
    // RFC 9112, section 5.1: white space before the colon is refused in requests and removed from answers.
    const name = leniency === "mend" ? line.slice(0, colon).trimEnd() : line.slice(0, colon);
    if (!TOKEN.test(name)) throw new MessageError("A field name holds a character that is not allowed there");
    fields.push({ name, lower: name.toLowerCase(), value: checkedValue(trim(line.slice(colon + 1)), name) });
  }
  return fields;
}

function checkedValue(value: string, name: string): string {
  if (FORBIDDEN_IN_VALUE.test(value)) {
    throw new MessageError(`The value of the field "${name}" holds a control character`);
  }
  return value;
}

/** Without optional white space (space and tab only) at both ends. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
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

/** The members of a comma-separated list in lower case (RFC 9110, section 5.6.1), for lists of tokens. */
export function listMembers(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value.split(",").map((member) => trim(member).toLowerCase()).filter((member) => member !== "");
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

/** The fields that a proxy passes on: all but the hop-by-hop ones and those that Connection names. */
export function endToEnd(fields: readonly Field[]): Field[] {
  const nominated = listMembers(joinedValues(fields, "connection")).filter((name) => !NEVER_NOMINATED.has(name));
  return fields.filter((field) => !HOP_BY_HOP.has(field.lower) && !nominated.includes(field.lower));
}
