import { type Field, withHyphens } from "../../http/fields.ts";

/** What a request shows of itself. */
export type Shown =
  /** A token, which is left to whoever knows what one looks like. */
  | { readonly kind: "bearer" }
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  /** Nothing, or in a scheme that petit does not know. */
  | { readonly kind: "nothing" }
  /** Something that cannot be right. */
  | { readonly kind: "malformed" };

const NOTHING: Shown = { kind: "nothing" };
const BEARER: Shown = { kind: "bearer" };
const MALFORMED: Shown = { kind: "malformed" };

/** RFC 9110, section 11.4: a scheme, in any case, and what belongs to it. */
const CREDENTIALS = /^(bearer|basic) +([A-Za-z0-9\-._~+/]+=*)$/i;
const SCHEME = /^(?:bearer|basic)(?: |$)/i;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The value of the field with the credentials, a name in lower case; undefined where it is not there, null where it stands twice:
 * whoever reads it next may take the other one.
 */
export function valueShown(fields: readonly Field[], field: string): string | null | undefined {
  let value: string | undefined;
  for (const one of fields) {
    if (one.lower !== field) continue;
    if (value !== undefined) return null;
    value = one.value;
  }
  return value;
}

/** Reads credentials (RFC 6750, section 2.1; RFC 7617, section 2). */
export function shownCredentials(value: string): Shown {
  const match = CREDENTIALS.exec(value);
  if (match === null) return SCHEME.test(value) ? MALFORMED : NOTHING;
  const [, scheme = "", text = ""] = match;
  return scheme.toLowerCase() === "bearer" ? BEARER : basic(text);
}

function basic(encoded: string): Shown {
  // Buffer takes whatever it can make something of.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return MALFORMED;
  let text: string;
  try {
    text = utf8.decode(Buffer.from(encoded, "base64"));
  } catch {
    return MALFORMED;
  }
  const colon = text.indexOf(":");
  if (colon < 0 || /[\x00-\x1f\x7f]/.test(text)) return MALFORMED;
  return {
    kind: "basic",
    user: text.slice(0, colon).normalize("NFC"),
    password: text.slice(colon + 1).normalize("NFC"),
  };
}

/** Whether a field is the one with the credentials, or one that CGI and its heirs cannot tell from it. */
export function carriesCredentials(lower: string, field: string): boolean {
  return lower === field || (lower.length === field.length && withHyphens(lower) === field);
}
