import type { ClientConfig } from "../config/schema.ts";
import type { OwnRules } from "../config/tenant_config.ts";
import { joinedValues, listMembers, withHyphens } from "../http/fields.ts";
import type { RequestHead } from "../http/head.ts";
import { plainPath } from "../plain_path.ts";

/** [client.allow] */
export type Allow = ClientConfig["allow"];

/** What an HTTP service may be called with; "*" in a list is anything. */
export interface HttpRules {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
}

const isAny = (list: readonly string[]) => list.includes("*");

/** "host:port" as [client.allow] services has it. */
export function serviceAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/**
 * Whether tenants may lead to a service. The words are compared, in small letters, and not what a name resolves to: who names a service
 * by its name trusts this machine's name servers with it.
 */
export function isServiceAllowed(
  { services }: Allow,
  service: { readonly host: string; readonly port: number },
): boolean {
  if (isAny(services)) return true;
  const wanted = serviceAddress(service).toLowerCase();
  const anyPort = `${wanted.slice(0, wanted.lastIndexOf(":"))}:*`;
  return services.some((one) => one.toLowerCase() === wanted || one.toLowerCase() === anyPort);
}

/** The rules for a tenant: its own ones first. Undefined where anything is allowed, HTTP or not. */
export function httpRules(allow: Allow, own: OwnRules): HttpRules | undefined {
  const methods = own.methods ?? allow.methods;
  const paths = own.paths ?? allow.paths;
  return isAny(methods) && isAny(paths) ? undefined : { methods, paths };
}

/** Fields that have some services take a request for one with another method, or for another path. */
const OTHER_METHOD = /^x-(?:http-)?method(?:-override)?$/;
const OTHER_PATH = /^x-(?:original|rewrite)-url$/;

/**
 * Why a request is not allowed, as a part of a sentence; undefined where it is.
 *
 * @param bodied whether it has a body
 */
export function whyNotAllowed(head: RequestHead, bodied: boolean, rules: HttpRules): string | undefined {
  const { method, fields } = head;
  // After a CONNECT the connection would be no HTTP any more.
  if (method === "CONNECT") return "CONNECT is not allowed";
  if (!isAny(rules.methods) && !rules.methods.includes(method)) return "its method is not allowed";
  const where = whyNotThere(head, rules);
  if (where !== undefined) return where;
  let hosts = 0;
  for (const { lower, value } of fields) {
    if (lower === "host") hosts++;
    else if (lower === "upgrade") {
      // Behind any other switch, h2c or TLS, there are requests again, and nobody would see them.
      if (value.toLowerCase() !== "websocket" || bodied) return "it asks for another protocol than WebSocket";
    } else if (OTHER_METHOD.test(withHyphens(lower))) {
      if (!isAny(rules.methods)) return `it has the field ${lower}, which may name another method`;
    } else if (OTHER_PATH.test(withHyphens(lower)) && !isAny(rules.paths)) {
      return `it has the field ${lower}, which may name another path`;
    }
  }
  return hosts > 1 ? "it names more than one host" : undefined;
}

function whyNotThere({ method, target }: RequestHead, { paths }: HttpRules): string | undefined {
  if (!target.startsWith("/")) {
    if (target === "*" && method === "OPTIONS" && isAny(paths)) return undefined;
    return "its target is no path";
  }
  if (isAny(paths)) return undefined;
  const path = plainPath(target);
  if (path === undefined) return "its path can be read in more than one way";
  return paths.some((prefix) => isBelow(path, prefix)) ? undefined : "its path is not allowed";
}

function isBelow(path: string, prefix: string): boolean {
  return prefix.endsWith("/") ? path.startsWith(prefix) : path === prefix || path.startsWith(`${prefix}/`);
}

/** Whether a request asks to switch to WebSocket (RFC 9110, section 7.8). */
export function asksForUpgrade({ fields, minor }: RequestHead): boolean {
  return minor === 1 && joinedValues(fields, "upgrade") !== undefined &&
    listMembers(joinedValues(fields, "connection")).includes("upgrade");
}
