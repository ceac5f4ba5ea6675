import { isHopByHop, isToken, joinedValues, listMembers, nominatedNames, valueOf } from "../http/fields.ts";
import type { Framing } from "../http/framing.ts";
import type { RequestHead } from "../http/head.ts";
import { MessageError } from "../http/message_error.ts";
import { claimsCaller, forwardedLines, type Peer } from "./forwarded_fields.ts";
import type { RequestTarget } from "./request_target.ts";

/**
 * The protocols that a request asks to switch to (RFC 9110, section 7.8), or undefined. Only a request without a body may,
 * and never to HTTP in another form or to TLS (RFC 2817): behind that switch a caller would talk past this server's checks.
 */
export function requestedUpgrade(head: RequestHead, framing: Framing): readonly string[] | undefined {
  if (framing.kind !== "none" || head.minor === 0) return undefined;
  if (!listMembers(joinedValues(head.fields, "connection")).includes("upgrade")) return undefined;
  const protocols = listMembers(joinedValues(head.fields, "upgrade"));
  return protocols.length === 0 || !protocols.every(isHarmless) ? undefined : protocols;
}

const HTTP_BY_ANOTHER_NAME = new Set(["h2c", "h2", "h3", "http", "https", "tls", "ssl"]);

function isHarmless(protocol: string): boolean {
  const [name = "", version = "0", ...more] = protocol.split("/");
  return isToken(name) && isToken(version) && more.length === 0 && !HTTP_BY_ANOTHER_NAME.has(name);
}

/** RFC 9110, section 9.3: bodies that have no meaning, so that a service may not look for them. */
const BODILESS = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

/**
 * Whether there are services that overlook the body of such a request and would take it for the next request: behind a method that
 * has none as a rule, behind Expect, and in chunks, which not all know. Such a request is the last on its connection, and the
 * service is told so.
 */
export function mayBeMissed(head: RequestHead, framing: Framing): boolean {
  if (framing.kind === "none") return false;
  return framing.kind === "chunked" || BODILESS.has(head.method.toUpperCase()) ||
    (head.minor === 1 && valueOf(head.fields, "expect") !== undefined);
}

/**
 * Whether the service is asked for 100 Continue (RFC 9110, section 10.1.1): an HTTP/1.0 caller would not understand the answer, and
 * where there is no body there is nothing to wait for.
 *
 * @throws MessageError where something else is expected
 */
export function expectsContinue(head: RequestHead, framing: Framing): boolean {
  const expected = joinedValues(head.fields, "expect");
  if (expected === undefined || head.minor === 0) return false;
  // "y 100-continue" is an expectation to some and none to others.
  if (expected.toLowerCase() !== "100-continue") {
    throw new MessageError('Expect is not "100-continue"', "expectation-failed", 417);
  }
  return framing.kind !== "none";
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
    if (isHopByHop(lower, nominated) || claimsCaller(lower, peer.trusted)) continue;
    if (lower === "expect" && !expectsContinue(head, framing)) continue;
    // As a number: "010" is 10 to some and 8 to others.
    if (lower === "content-length") {
      text += `${name}: ${framing.kind === "length" ? framing.length : 0}\r\n`;
      continue;
    }
    text += `${name}: ${value}\r\n`;
  }
  text += forwardedLines(peer, host, head.fields);
  text += head.minor === 1 ? "Via: 1.1 petit\r\n" : "Via: 1.0 petit\r\n";
  if (trailersWelcome) text += "TE: trailers\r\n";
  if (upgrade !== undefined) text += `Upgrade: ${joinedValues(head.fields, "upgrade")}\r\n`;
  const options: string[] = [];
  if (trailersWelcome) options.push("TE");
  if (upgrade !== undefined) options.push("Upgrade");
  if (mayBeMissed(head, framing)) options.push("close");
  if (options.length > 0) text += `Connection: ${options.join(", ")}\r\n`;
  if (framing.kind === "chunked") text += "Transfer-Encoding: chunked\r\n";
  return Buffer.from(`${text}\r\n`, "latin1");
}
