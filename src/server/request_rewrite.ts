import { endToEnd, joinedValues, listMembers } from "../http/fields.ts";
import type { Framing } from "../http/framing.ts";
import { headText, type RequestHead } from "../http/head.ts";
import { FORWARDED_FIELDS, forwardedLines, type Peer } from "./forwarded_fields.ts";
import type { RequestTarget } from "./request_target.ts";

/**
 * The protocols that a request asks to switch to (RFC 9110, section 7.8), or undefined. Only a request without a body may,
 * and never to h2c: behind that switch a caller would talk past this server's checks.
 */
export function requestedUpgrade(head: RequestHead, framing: Framing): string[] | undefined {
  if (framing.kind !== "none" || head.minor === 0) return undefined;
  if (!listMembers(joinedValues(head.fields, "connection")).includes("upgrade")) return undefined;
  const protocols = listMembers(joinedValues(head.fields, "upgrade"));
  return protocols.length === 0 || protocols.some((name) => name.split("/")[0] === "h2c") ? undefined : protocols;
}

/** The head as the service gets it: end-to-end fields in their order and case, and what this hop has to say. */
export function requestForService(
  head: RequestHead,
  { host, target }: RequestTarget,
  framing: Framing,
  peer: Peer,
  upgrade: string[] | undefined,
): Buffer {
  let fields = endToEnd(head.fields).filter(({ lower }) => !FORWARDED_FIELDS.has(lower));
  // An HTTP/1.0 caller would not understand the answer to Expect (RFC 9110, section 10.1.1).
  if (head.minor === 0) fields = fields.filter(({ lower }) => lower !== "expect");
  let more = forwardedLines(peer, host, head.fields);
  more += head.minor === 1 ? "Via: 1.1 petit\r\n" : "Via: 1.0 petit\r\n";
  const options: string[] = [];
  if (listMembers(joinedValues(head.fields, "te")).includes("trailers")) {
    more += "TE: trailers\r\n";
    options.push("TE");
  }
  if (upgrade !== undefined) {
    more += `Upgrade: ${joinedValues(head.fields, "upgrade")}\r\n`;
    options.push("Upgrade");
  }
  if (options.length > 0) more += `Connection: ${options.join(", ")}\r\n`;
  if (framing.kind === "chunked") more += "Transfer-Encoding: chunked\r\n";
  return Buffer.from(headText(`${head.method} ${target} HTTP/1.1`, fields, more), "latin1");
}
