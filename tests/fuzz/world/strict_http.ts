import assert from "node:assert/strict";

/** A head as a reader sees it that goes along with nothing; written without a look at the code that is tested. */
export interface StrictHead {
  readonly first: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const FIELD =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;

/** Takes apart bytes that have to be one head and nothing else. @throws AssertionError */
export function strictHead(bytes: Buffer): StrictHead {
  const text = bytes.toString("latin1");
  assert.equal(text.indexOf("\r\n\r\n"), text.length - 4, "there is more than one head");
  const [first = "", ...lines] = text.slice(0, -4).split("\r\n");
  const fields = lines.map((line) => {
    const match = FIELD.exec(line);
    assert.ok(match, `the field line ${JSON.stringify(line)} can be read in two ways`);
    return [match[1]?.toLowerCase() as string, match[2] as string] as const;
  });
  return { first, fields };
}

/** All values of a field. */
export function valuesIn({ fields }: StrictHead, name: string): string[] {
  return fields.filter(([own]) => own === name).map(([, value]) => value);
}

/** How a body is framed, as "none", "chunked" or its length in digits. @throws AssertionError where two readings are possible */
export function strictFraming(head: StrictHead): string {
  const lengths = valuesIn(head, "content-length");
  const codings = valuesIn(head, "transfer-encoding");
  assert.ok(lengths.length + codings.length <= 1, "the body is framed in two ways");
  if (codings.length > 0) {
    assert.equal(codings[0], "chunked");
    return "chunked";
  }
  if (lengths.length === 0) return "none";
  assert.match(lengths[0] as string, /^\d{1,15}$/);
  return String(Number(lengths[0]));
}

/** What may not go further than one hop (RFC 9110, section 7.6.1), beside Connection's own line. */
export const HOP_BY_HOP = ["keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"];
