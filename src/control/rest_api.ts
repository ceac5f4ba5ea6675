import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { LocalAccess } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { apiError, statusOf } from "./api_error.ts";
import { refuseForeign, requireToken, scopeOf } from "./api_guard.ts";
import { describe, type Description } from "./describe_api.ts";
import { type AnyOperation, type Input, tokenOf } from "./operation.ts";
import { checked, readJson } from "./read_input.ts";

export interface RestApiParts extends Description {
  /** Where the token is. */
  readonly folder: string;
  readonly log: Log;
  readonly operations: readonly AnyOperation[];
  /** What is open to those without the token; asked anew for each request. */
  localAccess(): LocalAccess;
  /** Aborted when the API is to end: answers without an end of their own end then. */
  readonly closing?: AbortSignal;
  /** Told of requests that were not open to whoever sent them. @param code of the error */
  onRefused?(code: string): void;
}

/** Sent with every answer: none is to be kept, or to be taken for a page. */
const FIELDS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Statuses of those who ask for what is not theirs. */
const REFUSED = new Set([401, 403]);

/** A REST API made of operations, with its own description at /openapi.json. Its `fetch` answers requests, and never rejects. */
export function restApi(parts: RestApiParts): OpenAPIHono {
  const { operations, log, onRefused } = parts;
  const app = new OpenAPIHono();
  const description = JSON.stringify(describe(app, parts, operations));
  const known = operations.map(({ method, path }) => ({ method: method.toUpperCase(), pattern: patternOf(path) }));
  known.push({ method: "GET", pattern: patternOf("/openapi.json") });

  app.use(async (context, next) => {
    const { raw } = context.req;
    refuseForeign(raw.headers, targetOf(context));
    if (raw.method === "OPTIONS") return allowed(context, 204);
    await next();
    return undefined;
  });
  app.get("/openapi.json", () => json(description, 200));
  for (const operation of operations) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
    app.on(operation.method.toUpperCase(), path, (context) => answer(operation, context, parts));
  }
  app.notFound((context) => allowed(context, 405));
  app.onError((error) => {
    if (error instanceof PetitError && REFUSED.has(statusOf(error))) onRefused?.(error.code);
    return errorAnswer(error, log);
  });
  return app;

  function allowed(context: Context, status: 204 | 405): Response {
    const methods = known.filter(({ pattern }) => pattern.test(context.req.path)).map(({ method }) => method);
    if (methods.length === 0) {
      throw new PetitError("not-found", `There is nothing at ${context.req.path.slice(0, 200)}`, {
        hint: "GET /openapi.json describes what there is",
      });
    }
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
    if (status === 204) return new Response(null, { status, headers: { allow, ...FIELDS } });
    const { method, path } = context.req;
    const error = new PetitError("method-not-allowed", `${path.slice(0, 200)} cannot be asked with ${method}`, {
      hint: `It takes ${allow}`,
    });
    return json(JSON.stringify(apiError(error)), status, { allow });
  }
}

/** What anything that was thrown is answered with; faults of petit's own are logged, and told nothing of. */
export function errorAnswer(error: unknown, log: Log): Response {
  if (!(error instanceof PetitError)) {
    log.error({ err: error, code: "internal" }, "A request to the REST API failed by a fault of petit's own");
    const internal = { code: "internal", message: "This is a fault of petit's own", hint: "Its log has more" };
    return json(JSON.stringify(apiError(internal)), 500);
  }
  const status = statusOf(error);
  if (status >= 500) log.warn({ err: error, code: error.code }, `A request to the REST API failed: ${error.message}`);
  const fields: Record<string, string> = status === 401 ? { "www-authenticate": 'Bearer realm="petit"' } : {};
  return json(JSON.stringify(apiError(error)), status, fields);
}

async function answer(operation: AnyOperation, context: Context, parts: RestApiParts): Promise<Response> {
  const { folder, closing } = parts;
  const { raw } = context.req;
  const token = tokenOf(operation);
  if (token === "required" || (token !== "none" && parts.localAccess() === "none")) {
    requireToken(raw.headers, folder, token !== "required" || operation.method === "get" ? "read" : "all");
  }
  const given = operation.method === "get" ? undefined : await readJson(raw);
  const input: Input<object, object, object, unknown> = {
    authorized: token !== "none" && scopeOf(raw.headers, folder) !== undefined,
    params: checked(operation.params, context.req.param(), "the path"),
    query: checked(operation.query, context.req.query(), "the query"),
    fields: checked(operation.fields, Object.fromEntries(raw.headers), "the header"),
    body: checked(operation.body, given, "the body"),
    raw: given,
    method: raw.method,
    headers: raw.headers,
    get signal() {
      return closing === undefined ? raw.signal : AbortSignal.any([raw.signal, closing]);
    },
  };
  const value = await operation.handle(input);
  if (!(value instanceof Response)) return json(JSON.stringify(value), operation.status ?? 200);
  for (const [name, field] of Object.entries(FIELDS)) value.headers.set(name, field);
  return value;
}

function json(text: string, status: number, fields: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "application/json", ...FIELDS, ...fields } });
}

/** The request target to the letter, where the runtime tells it. */
function targetOf(context: Context): string {
  return (context.env as { incoming?: { url?: string } } | undefined)?.incoming?.url ?? context.req.url;
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
