import type { Field } from "../http/fields.ts";

/** What one proxy says of a request: parameters by their names in lower case. */
export type ForwardedElement = ReadonlyMap<string, string>;

/** RFC 7239, section 4: `token=value`, the value a token or a quoted string. Bytes above ASCII and ":" and "[]" are let pass in tokens. */
const PAIR = /[\t ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;=\\]*))[\t ]*(?:([;,])|$)/y;

/**
 * The elements of all lines of Forwarded, the farthest first. A line that does not keep to the grammar is one element of which nothing
 * is known: its quotation marks may be the caller's, put there to hide what a proxy wrote behind them.
 */
export function forwardedElements(fields: readonly Field[]): (ForwardedElement | undefined)[] {
  return fields.filter(({ lower }) => lower === "forwarded").flatMap(({ value }) => elementsOf(value) ?? [undefined]);
}

function elementsOf(value: string): ForwardedElement[] | undefined {
  const elements: Map<string, string>[] = [new Map()];
  let separator: string | undefined = ";";
  for (PAIR.lastIndex = 0; separator !== undefined;) {
    const match = PAIR.exec(value);
    if (match === null) return undefined;
    const [, name = "", quoted, token = "", after] = match;
    const lower = name.toLowerCase();
    const element = elements.at(-1) as Map<string, string>;
    // Section 4: each parameter at most once in an element.
    if (element.has(lower)) return undefined;
    element.set(lower, quoted?.replace(/\\(.)/g, "$1") ?? token);
    if (after === ",") elements.push(new Map());
    separator = after;
  }
  return elements;
}
