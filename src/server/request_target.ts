import type { RequestHead } from "../http/head.ts";
import { MessageError } from "../http/message_error.ts";

/** Where a request wants to go: the host that routes it, and the target in the form that the service gets. */
export interface RequestTarget {
  /** The Host field; empty in an HTTP/1.0 request without one. */
  readonly host: string;
  readonly target: string;
}

const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)([/?][^#]*)?$/i;

/**
 * Finds the one host that a request names (RFC 9112, sections 3.2 and 3.3). A request that names two is refused:
 * it would be routed by one of them and answered by the other.
 *
 * @throws MessageError
 */
export function requestTarget({ method, target, minor, fields }: RequestHead): RequestTarget {
  let host: string | undefined;
  for (const { lower, value } of fields) {
    if (lower !== "host") continue;
    if (host !== undefined) throw new MessageError("Host is given twice");
    host = value;
  }
  if (host === undefined && minor === 1) throw new MessageError("Host is missing");
  if (host !== undefined && host !== "" && !HOST.test(host)) throw new MessageError("Host is not a host name");
  const first = target.charCodeAt(0);
  if (first === 0x2f || (target === "*" && method === "OPTIONS")) return { host: host ?? "", target };
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null) throw new MessageError("The request target is neither a path nor a URL");
  if (absolute[1]?.toLowerCase() !== host?.toLowerCase()) {
    throw new MessageError("The URL in the request line names another host than Host does");
  }
  const rest = absolute[2] ?? (method === "OPTIONS" ? "*" : "/");
  return { host: host as string, target: rest.startsWith("?") ? `/${rest}` : rest };
}
