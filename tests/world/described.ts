import assert from "node:assert/strict";
import { z } from "zod";
import type { Answer } from "./api.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** What an API says of itself, to hold its answers to it. */
export class Description {
  readonly document: Json;

  constructor(text: string) {
    this.document = JSON.parse(text);
  }

  /** "GET /status/{id}" and all the others. */
  get operations(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`)
    );
  }

  /** The schema of an operation's answer with that status; a field that is not described makes an answer wrong. */
  schema(operation: string, status: number): z.ZodType | undefined {
    const [method = "", path = ""] = operation.split(" ");
    const responses = this.document.paths[path][method.toLowerCase()].responses;
    const schema = (responses[status] ?? responses.default).content["application/json"]?.schema;
    if (schema === undefined) return undefined;
    const whole = closed({ ...schema, $defs: this.document.components.schemas });
    return z.fromJSONSchema(JSON.parse(JSON.stringify(whole).replaceAll("#/components/schemas/", "#/$defs/")));
  }

  /** @throws AssertionError where the answer is not as described */
  check(operation: string, answer: Answer): void {
    const schema = this.schema(operation, answer.status);
    if (schema === undefined) return;
    const result = schema.safeParse(answer.json);
    assert.equal(
      result.success ? "" : z.prettifyError(result.error),
      "",
      `${operation} answered ${answer.status} ${answer.text.slice(0, 500)}`,
    );
  }
}

function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  if (copy["type"] === "object" && copy["properties"] !== undefined) copy["additionalProperties"] ??= false;
  return copy;
}
