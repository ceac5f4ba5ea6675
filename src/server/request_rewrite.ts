import { isHopByHop, joinedValues, listMembers, nominatedNames } from "../http/fields.ts";
import type { Framing } from "../http/framing.ts";
import type { RequestHead } from "../http/head.ts";
import { claimsCaller, forwardedLines, type Peer } from "./forwarded_fields.ts";
import type { RequestTarget } from "./request_target.ts";

/**
 * The protocols that a request asks to switch to (RFC 9110, section 7.8), or undefined. Only a request without a body may,
 * and never to h2c: behind that switch a caller would talk past this server's checks.
 */
export function requestedUpgrade(head: RequestHead, framing: Framing): readonly string[] | undefined {
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
  upgrade: readonly string[] | undefined,
): Buffer {
  const nominated = nominatedNames(head.fields);
  let text = `${head.method} ${target} HTTP/1.1\r\n`;
  let trailersWelcome = false;
  for (const { name, lower, value } of head.fields) {
    if (lower === "te" && listMembers(value).includes("trailers")) trailersWelcome = true;
    if (isHopByHop(lower, nominated) || claimsCaller(lower)) continue;
    // An HTTP/1.0 caller would not understand the answer to Expect (RFC 9110, section 10.1.1).
    if (lower === "expect" && head.minor === 0) continue;
    text += `${name}: ${value}\r\n`;
  }
  text += forwardedLines(peer, host, head.fields);
  text += head.minor === 1 ? "Via: 1.1 petit\r\n" : "Via: 1.0 petit\r\n";
  if (trailersWelcome) text += "TE: trailers\r\n";
  if (upgrade !== undefined) text += `Upgrade: ${joinedValues(head.fields, "upgrade")}\r\n`;
  if (upgrade !== undefined) text += trailersWelcome ? "Connection: TE, Upgrade\r\n" : "Connection: Upgrade\r\n";
  else if (trailersWelcome) text += "Connection: TE\r\n";
  if (framing.kind === "chunked") text += "Transfer-Encoding: chunked\r\n";
  return Buffer.from(`${text}\r\n`, "latin1");
}
