import type { RequestHead } from "../../http/head.ts";
import { INTERCEPT_PATH } from "../../tunnel/legacy_messages.ts";
import type { RequestTarget } from "../request_target.ts";

/**
 * Whether a request is a loopback probe of petit 0.6. Its client answers that itself, where it comes first on a channel: it has to have a new one, and
 * says nothing of the service.
 */
export function isLoopbackProbe({ method }: RequestHead, { target }: RequestTarget): boolean {
  return method === "GET" && target.startsWith(INTERCEPT_PATH);
}
