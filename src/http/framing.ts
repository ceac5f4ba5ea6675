import { joinedValues, listMembers } from "./fields.ts";
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
    return CHUNKED;
  }
  return length === undefined ? NONE : withLength(length);
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
