import type { OpenAPIHono } from "@hono/zod-openapi";
import { version } from "../platform/version.ts";
import { apiErrorSchema } from "./api_error.ts";
import { type AnyOperation, tokenOf } from "./operation.ts";

/** What an API says of itself. */
export interface Description {
  readonly title: string;
  readonly about: string;
  /** Groups of operations, in order, with a sentence each. */
  readonly tags: Readonly<Record<string, string>>;
}

/** The OpenAPI 3.1 description, made of the schemas that requests are checked with. */
export function describe(
  app: OpenAPIHono,
  { title, about, tags }: Description,
  operations: readonly AnyOperation[],
): object {
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: 'What "petit server token" or "petit client token" prints',
  });
  for (const operation of operations) registry.registerPath(routeOf(operation) as never);
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title, version, description: about },
    servers: [{ url: "/" }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  });
}

/** With the token or, unless localAccess is "none", without it. */
const EITHER = [{ token: [] }, {}];

function routeOf(operation: AnyOperation): object {
  const { method, path, id, tag, summary, description, answer, answered, type = "application/json" } = operation;
  const { params, query, fields, body, status = 200 } = operation;
  const required = body !== undefined && !body.safeParse(undefined).success;
  const json = { content: { "application/json": { schema: body } }, required };
  return {
    method,
    path,
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: { required: [{ token: [] }], reading: EITHER, optional: EITHER, none: [] }[tokenOf(operation)],
    request: { params, query, headers: fields, ...(body === undefined ? {} : { body: json }) },
    responses: {
      [status]: { description: answered, content: { [type]: { schema: answer } } },
      default: {
        description: "It failed, for the reason that stands in the answer",
        content: { "application/json": { schema: apiErrorSchema } },
      },
    },
  };
}
