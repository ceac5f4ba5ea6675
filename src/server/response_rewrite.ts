import {
  endToEnd,
  type Field,
  isHopByHop,
  joinedValues,
  listMembers,
  nominatedNames,
  valueOf,
} from "../http/fields.ts";
import type { Framing } from "../http/framing.ts";
import { headText, type ResponseHead } from "../http/head.ts";

/** How the body of an answer goes to the caller. */
export type Delivery = "as-is" | "chunked" | "until-close";

/** RFC 9112, section 6.1: chunked for whoever understands it, the end of the connection for HTTP/1.0. */
export function deliveryOf(framing: Framing, callerMinor: 0 | 1): Delivery {
  if (framing.kind === "none" || framing.kind === "length") return "as-is";
  return callerMinor === 1 ? "chunked" : "until-close";
}

/** The head of a final answer as the caller gets it. */
export function responseForCaller(
  head: ResponseHead,
  framing: Framing,
  delivery: Delivery,
  connection: "keep-alive" | "close" | undefined,
): string {
  const nominated = nominatedNames(head.fields);
  // RFC 9112, section 6.3: where both are given the length is wrong. RFC 9110, section 8.6: no length with 204.
  const dropLength = framing.kind === "chunked" || head.status === 204;
  let dated = false;
  let measured = dropLength;
  let text = `${statusLine(head)}\r\n`;
  for (const { name, lower, value } of head.fields) {
    if (lower === "date") dated = true;
    if (lower === "content-length") {
      // RFC 9110, section 8.6: a length that is repeated, in one line or in several, goes on as one, the one that is gone by.
      const length = measured ? undefined : framing.kind === "length" ? framing.length : announced(value);
      if (length !== undefined) text += `${name}: ${length}\r\n`;
      measured ||= length !== undefined;
      continue;
    }
    if (isHopByHop(lower, nominated)) continue;
    text += `${name}: ${value}\r\n`;
  }
  if (!dated) text += `Date: ${new Date().toUTCString()}\r\n`;
  if (delivery === "chunked") text += "Transfer-Encoding: chunked\r\n";
  if (connection !== undefined) text += `Connection: ${connection}\r\n`;
  return `${text}\r\n`;
}

/** A length where there is no body: nothing, or what GET would bring (RFC 9110, section 9.3.2). */
function announced(value: string): string | undefined {
  const [length = "", ...others] = listMembers(value);
  return /^\d{1,15}$/.test(length) && others.every((other) => other === length) ? length : undefined;
}

/** A 1xx answer (RFC 9110, section 15.2): without a body, on the way to the final one. */
export function interimForCaller(head: ResponseHead): Buffer {
  return Buffer.from(headText(statusLine(head), withoutLength(head), ""), "latin1");
}

/** The head of a 101 answer; `protocol` as the service wrote it. */
export function switchingForCaller(head: ResponseHead, protocol: string): Buffer {
  const more = `Upgrade: ${protocol}\r\nConnection: Upgrade\r\n`;
  return Buffer.from(headText(statusLine(head), withoutLength(head), more), "latin1");
}

/** RFC 9110, section 8.6: no length with 1xx. */
function withoutLength(head: ResponseHead): Field[] {
  return endToEnd(head.fields).filter(({ lower }) => lower !== "content-length");
}

/** The protocol that a 101 answer switches to, if the caller asked for it (RFC 9110, section 7.8). */
export function agreedProtocol(head: ResponseHead, requested: readonly string[] | undefined): string | undefined {
  const chosen = joinedValues(head.fields, "upgrade");
  const members = listMembers(chosen);
  return members.length > 0 && members.every((member) => requested?.includes(member)) ? chosen : undefined;
}

/** Milliseconds that the service will keep its connection, as its Keep-Alive field hints, a second less; Infinity unsaid. */
export function keepAliveHint(head: ResponseHead): number {
  const hint = valueOf(head.fields, "keep-alive");
  const seconds = hint === undefined ? undefined : /(?:^|[,\s])timeout=(\d{1,6})/i.exec(hint)?.[1];
  return seconds === undefined ? Infinity : (Number(seconds) - 1) * 1000;
}

function statusLine({ status, reason }: ResponseHead): string {
  return `HTTP/1.1 ${status} ${reason}`;
}
