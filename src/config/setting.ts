import { z } from "zod";

/** A setting with its default and its documentation. */
export function setting<T extends z.ZodType>(schema: T, fallback: z.input<T>, doc: string): z.ZodPrefault<T> {
  return schema.prefault(fallback).meta({ doc, fallback });
}

export const text = () => z.string("wanted a string in quotes");
export const printable = () => text().regex(/^[^\x00-\x1f\x7f-\x9f]*$/, "wanted a text without control characters");
export const host = () => printable().min(1, "wanted a host name or address");
export const flag = () => z.boolean("wanted true or false, without quotes");
export const oneOf = <const T extends [string, ...string[]]>(...values: T) =>
  z.enum(values, `wanted ${values.map((value) => `"${value}"`).join(" or ")}`);
export const logLevel = () => oneOf("trace", "debug", "info", "warn", "error", "silent");

/** A path; one that starts with "./" or "../" is relative to the config file. */
export const path = () => text().min(1, "wanted a path");

export const count = () => {
  const wanted = "wanted a whole number from 1 to 1000000";
  return z.int(wanted).min(1, wanted).max(1_000_000, wanted);
};
