import type { z } from "zod";
import { closest } from "../closest.ts";
import { PetitError } from "../error.ts";

/** The largest body, in bytes: what is sent here are a few values. */
const MAX_BODY = 64 * 1024;

const HINT = "GET /openapi.json describes every request";

/** Checks a part of a request. @throws PetitError `request-invalid` */
export function checked<Schema extends z.ZodType>(
  schema: Schema | undefined,
  value: unknown,
  part: string,
): z.output<Schema> {
  if (schema === undefined) return undefined as z.output<Schema>;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  if (unknown !== undefined) throw unknownKey(unknown, part, schema);
  const where = issue.path.length === 0 ? part : `"${issue.path.map(String).join(".").slice(0, 80)}" in ${part}`;
  throw new PetitError("request-invalid", `Cannot use ${where}: ${lowerFirst(issue.message)}`, {
    hint: HINT,
  });
}

function unknownKey(key: string, part: string, schema: z.ZodType): PetitError {
  const known = Object.keys((schema as { shape?: object }).shape ?? {});
  const nearest = closest(key, known);
  return new PetitError("request-invalid", `There is no "${key.slice(0, 80)}" in ${part}`, {
    hint: nearest === undefined ? HINT : `Did you mean "${nearest}"`,
  });
}

/** The JSON that a request carries, or undefined. @throws PetitError `not-json`, `body-too-large` or `request-invalid` */
export async function readJson(request: Request): Promise<unknown> {
  const { headers } = request;
  const length = headers.get("content-length");
  if (length === "0" || (length === null && headers.get("transfer-encoding") === null)) return undefined;
  if (!/^application\/json *(?:;|$)/i.test(headers.get("content-type") ?? "")) {
    throw new PetitError("not-json", "The body of the request is not declared as JSON", {
      hint: 'Send "Content-Type: application/json"',
    });
  }
  if (Number(length ?? 0) > MAX_BODY) throw tooLarge();
  const text = await readText(request);
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PetitError("request-invalid", "The body of the request is not JSON", { cause });
  }
}

async function readText(request: Request): Promise<string> {
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body) {
      chunks.push(chunk);
      if ((size += chunk.length) > MAX_BODY) throw tooLarge();
    }
  } catch (cause) {
    if (cause instanceof PetitError) throw cause;
    throw new PetitError("request-invalid", "The body of the request did not come as a whole", { cause });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(): PetitError {
  return new PetitError("body-too-large", `The body of the request is larger than ${MAX_BODY / 1024} KiB`);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
