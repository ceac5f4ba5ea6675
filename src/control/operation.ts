import { z } from "zod";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** An object of strings as they come in a path, a query or in fields. */
export type Strings = z.ZodType<object, object>;

export type Token = "required" | "reading" | "optional" | "none";

/** What a handler gets. */
export interface Input<Params, Query, Fields, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly fields: Fields;
  readonly body: Body;
  /** The body before it was checked. */
  readonly raw: unknown;
  /** Whether the request carries the token; always where the operation requires it. */
  readonly authorized: boolean;
  readonly method: string;
  /** All of the request's fields. */
  readonly headers: Headers;
  /** Aborted when whoever asks is gone. */
  readonly signal: AbortSignal;
}

/** One thing that can be asked of a daemon: the schemas describe it, validate what comes, and type the handler. */
export interface Operation<
  Params extends Strings,
  Query extends Strings,
  Fields extends Strings,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: Method;
  /** With parameters in braces: "/status/{id}". */
  readonly path: string;
  /** Its name in generated clients. */
  readonly id: string;
  /** The group that it is shown under. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /**
   * Whether the token is needed: by default it is for all but GET, which is "reading": open to whom the setting localAccess lets. With "optional",
   * which is open to them too, the handler looks at `authorized`; "none" is for what tells nothing, for probes.
   */
  readonly token?: Token;
  readonly params?: Params;
  readonly query?: Query;
  /** Header fields that matter, in lower case. */
  readonly fields?: Fields;
  /** JSON. One that accepts undefined may be left out. */
  readonly body?: Body;
  /** JSON; of another media type where `type` says so: the handler answers with a Response then. */
  readonly answer: Answer;
  readonly type?: string;
  /** 200 by default. */
  readonly status?: 200 | 201;
  /** What the answer is, in a few words. */
  readonly answered: string;
  handle(
    input: Input<z.output<Params>, z.output<Query>, z.output<Fields>, z.output<Body>>,
  ): z.input<Answer> | Response | Promise<z.input<Answer> | Response>;
}

export type AnyOperation = Operation<Strings, Strings, Strings, z.ZodType, z.ZodType>;

/** An operation, with its types found by themselves. */
export function operation<
  Params extends Strings,
  Query extends Strings,
  Fields extends Strings,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(of: Operation<Params, Query, Fields, Body, Answer>): AnyOperation {
  return of as unknown as AnyOperation;
}

/** Of every answer that 0.6.x gave: scripts look for it. */
export const successful = z.object({ success: z.literal(true) }).meta({ id: "Success", description: "It was done" });

/** A schema or null. (`nullable()` of a named schema comes out as one that nothing can satisfy.) */
export function orNull<Schema extends z.ZodType>(schema: Schema): z.ZodUnion<[Schema, z.ZodNull]> {
  return z.union([schema, z.null()]);
}

/** A whole number in a query, where everything is a text. */
export function numberInQuery(least: number, most: number): z.ZodType<number, unknown> {
  return z.preprocess(
    (text) => typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : text,
    z.int().min(least).max(most),
  );
}

/** Whether the token is needed for an operation. */
export function tokenOf({ token, method }: AnyOperation): Token {
  return token ?? (method === "get" ? "reading" : "required");
}
