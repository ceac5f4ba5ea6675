import { PetitError } from "../error.ts";
import { scopeOfToken } from "./api_token.ts";
import type { TokenScope } from "./named_tokens.ts";

/** The names of this machine's loopback: with another one in Host, a web page has had its own name lead here (DNS rebinding). */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Refuses what a web page in a browser of this machine may have sent. No answer carries CORS fields, so no page can read one; and a request
 * that could change something needs the token, which no page knows.
 *
 * @param target the request target as it came
 * @throws PetitError `host-refused` or `origin-refused`
 */
export function refuseForeign(headers: Headers, target: string): void {
  const host = headers.get("host") ?? "";
  const named = /^[a-z]+:\/\/([^/?#]*)/i.exec(target)?.[1] ?? host;
  if (!LOOPBACK.test(host) || !LOOPBACK.test(named)) {
    throw new PetitError("host-refused", "The Host of the request is none of this machine's own names", {
      hint: "Ask localhost or 127.0.0.1",
    });
  }
  const origin = headers.get("origin");
  if (origin !== null && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    throw new PetitError("origin-refused", "Web pages of other origins may not use this API");
  }
}

/** What the token that a request carries lets do; undefined where it carries none. @throws PetitError `token-wrong`; or as `apiToken` */
export function scopeOf(headers: Headers, folder: string): TokenScope | undefined {
  const given = headers.get("authorization");
  if (given === null) return undefined;
  const token = /^Bearer +(\S+) *$/i.exec(given)?.[1];
  const scope = token === undefined ? undefined : scopeOfToken(folder, token);
  if (scope !== undefined) return scope;
  throw new PetitError("token-wrong", "The token is not that of this daemon", { hint: HINT });
}

/** @throws PetitError `token-missing`, `token-wrong`, or `token-scope` where a token that may only read does not do */
export function requireToken(headers: Headers, folder: string, wanted: TokenScope): void {
  const scope = scopeOf(headers, folder);
  if (scope === undefined) throw new PetitError("token-missing", "This needs the token of the API", { hint: HINT });
  if (scope === "read" && wanted === "all") {
    throw new PetitError("token-scope", "This token may only read", {
      hint: 'Use one that was made without "--read"',
    });
  }
}

const HINT = 'Send "Authorization: Bearer TOKEN"; "petit server token" or "petit client token" prints it';
