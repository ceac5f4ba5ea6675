import { joinedValues, listMembers, withHyphens } from "./fields.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import { MessageError } from "./message_error.ts";

/** How the end of a body is known (RFC 9112, section 6.3). Lengths in bytes. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const UNTIL_CLOSE: Framing = { kind: "until-close" };

/**
 * How a request's body is framed. Where two readings are possible the request is refused, since the service might
 * choose the other one (request smuggling, RFC 9112, section 11.2).
 *
 * @throws MessageError
 */
export function requestFraming(head: RequestHead): Framing {
  let length: string | undefined;
  let encoding: string | undefined;
  for (const { lower, value } of head.fields) {
    if (isDisguised(lower)) throw new MessageError("A field looks like one that frames a message, and is none");
    if (lower === "content-length") {
      if (length !== undefined) throw new MessageError("Content-Length is given twice");
      length = value;
    } else if (lower === "transfer-encoding") {
      if (encoding !== undefined) throw new MessageError("Transfer-Encoding is given twice");
      encoding = value;
    }
  }
  if (encoding !== undefined) {
    if (length !== undefined) throw new MessageError("Content-Length and Transfer-Encoding are both given");
    if (head.minor === 0) throw new MessageError("Transfer-Encoding is given in an HTTP/1.0 request");
    if (encoding.toLowerCase() !== "chunked") throw new MessageError('Transfer-Encoding is not "chunked"');
    return withoutTrace(head, CHUNKED);
  }
  return length === undefined ? NONE : withoutTrace(head, withLength(length));
}

/** RFC 9110, section 9.3.8: a request with TRACE has no content. Whoever answers it looks for none. */
function withoutTrace(head: RequestHead, framing: Framing): Framing {
  if (framing.kind !== "none" && head.method.toUpperCase() === "TRACE") throw new MessageError("TRACE has a body");
  return framing;
}

/** How an answer's body is framed, given the method of its request. @throws MessageError */
export function responseFraming(method: string, head: ResponseHead): Framing {
  if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) return NONE;
  const encoding = joinedValues(head.fields, "transfer-encoding");
  if (encoding !== undefined) {
    const codings = listMembers(encoding);
    if (codings.length !== 1 || codings[0] !== "chunked") {
      throw new MessageError('Transfer-Encoding is not "chunked"');
    }
    return CHUNKED;
  }
  const length = joinedValues(head.fields, "content-length");
  if (length === undefined) return UNTIL_CLOSE;
  if (!length.includes(",")) return withLength(length);
  // RFC 9110, section 8.6: a length that is repeated is as good as one that is not.
  const lengths = new Set(listMembers(length));
  if (lengths.size !== 1) throw new MessageError("Content-Length is given with different values");
  return withLength([...lengths][0] as string);
}

const FRAMING_NAMES = new Set(["content-length", "transfer-encoding"]);

/** CGI and its heirs take any punctuation for "_", and so "Transfer_Encoding" for what it is not. */
function isDisguised(lower: string): boolean {
  return (lower.length === 14 || lower.length === 17) && !FRAMING_NAMES.has(lower) &&
    FRAMING_NAMES.has(withHyphens(lower));
}

/**
 * Whether there are services that mean another end of this answer than `responseFraming` found: a length beside chunks, chunks in
 * HTTP/1.0, or the announcement of a body where none may come, which careless services send all the same, and later.
 */
export function isAmbiguous(method: string, head: ResponseHead): boolean {
  let length = false;
  let chunked = false;
  for (const { lower, value } of head.fields) {
    if (lower === "content-length") length ||= value !== "0";
    else if (lower === "transfer-encoding") chunked = true;
  }
  if (method === "HEAD" || head.status === 204 || head.status === 304) return length || chunked;
  return chunked && (length || head.minor === 0);
}

function withLength(text: string): Framing {
  // 15 digits: the largest count of bytes that stays exact as a number.
  if (!/^\d{1,15}$/.test(text)) throw new MessageError("Content-Length is not a number of bytes");
  const length = Number(text);
  return length === 0 ? NONE : { kind: "length", length };
}

/** Whether the sender keeps the connection open behind this message (RFC 9112, section 9.3). */
export function persists(head: { readonly minor: 0 | 1; readonly fields: RequestHead["fields"] }): boolean {
  const options = joinedValues(head.fields, "connection");
  if (options === undefined) return head.minor === 1;
  const members = listMembers(options);
  return head.minor === 1 ? !members.includes("close") : members.includes("keep-alive") && !members.includes("close");
}
