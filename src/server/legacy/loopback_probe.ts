import type { RequestHead } from "../../http/head.ts";
import type { RequestTarget } from "../request_target.ts";

/** The path of the loopback probe of petit 0.6. */
const INTERCEPTED_PATH = "/-g2c-intercept";

/**
 * Whether a request is a loopback probe of petit 0.6. Its client answers that itself, where it comes first on a channel: it has to have a new one, and
 * says nothing of the service.
 */
export function isLoopbackProbe({ method }: RequestHead, { target }: RequestTarget): boolean {
  return method === "GET" && target.startsWith(INTERCEPTED_PATH);
}
