import { readFileSync } from "node:fs";
import type { z } from "zod";
import { closest } from "../closest.ts";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { type FormerSetting, type FoundFormer, withoutFormer } from "./former_settings.ts";
import { type Place, TomlDocument, TomlSyntaxError } from "./toml.ts";

/** The text of a config file, or undefined where there is none. @throws PetitError `config-unreadable` */
export function readConfigFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new PetitError("config-unreadable", `Cannot read the config file "${file}": ${messageOf(error)}`, {
      exitCode: 2,
      cause: error,
    });
  }
}

/**
 * Checks a TOML text.
 *
 * @param file for messages
 * @param former settings that are let pass and left out; `found` gets those that stand in the text
 * @throws PetitError with exit code 2, `config-syntax` or `config-invalid`; the message names the file, line and column, what was found and what is wanted
 */
export function checkToml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  former: readonly FormerSetting[] = [],
  found: FoundFormer[] = [],
): z.output<Schema> {
  const at = ({ line, column }: Place) => `${file}:${line}:${column}`;
  let document: TomlDocument;
  try {
    document = new TomlDocument(text);
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    throw new PetitError("config-syntax", `${at(error.place)}: This is not TOML: ${lowerFirst(error.message)}`, {
      exitCode: 2,
      cause: error,
    });
  }
  const { value } = document;
  const date = pathOfDate(value, []);
  if (date !== undefined) {
    // A date is an object to whoever checks sections, and an empty one.
    throw new PetitError(
      "config-invalid",
      `${at(document.placeOf(date))}: "${date.join(".")}" is a date; no setting is one`,
      {
        exitCode: 2,
      },
    );
  }
  const result = schema.safeParse(
    withoutFormer(value, former, (setting, path) => found.push({ ...setting, at: at(document.placeOf(path)) })),
  );
  if (!result.success) {
    const issue = result.error.issues[0] as z.core.$ZodIssue;
    const problem = describe(issue, document, schema);
    throw new PetitError("config-invalid", `${at(document.placeOf(problem.path))}: ${problem.message}`, {
      exitCode: 2,
    });
  }
  return result.data;
}

function pathOfDate(value: unknown, path: readonly string[]): readonly string[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  if (value instanceof Date) return path;
  for (const [name, below] of Object.entries(value)) {
    const found = pathOfDate(below, [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describe(
  issue: z.core.$ZodIssue,
  document: TomlDocument,
  root: z.ZodType,
): { path: PropertyKey[]; message: string } {
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] as string;
    const path = [...issue.path, key];
    const known = knownKeys(root, issue.path);
    const where = issue.path.length > 0 ? `in [${issue.path.join(".")}]` : "at the top level";
    const nearest = closest(key, known);
    const guess = nearest === undefined ? `known there: ${known.join(", ")}` : `did you mean "${nearest}"`;
    return { path, message: `Unknown key "${key}" ${where}; ${guess}` };
  }
  const found = shown(document.get(issue.path));
  const section = issue.code === "invalid_type" && issue.expected === "object";
  const wanted = section ? `wanted a section, [${issue.path.join(".")}]` : issue.message;
  return { path: issue.path, message: `"${issue.path.join(".")}" is ${found}; ${wanted}` };
}

function knownKeys(root: z.ZodType, path: readonly PropertyKey[]): string[] {
  let schema: unknown = root;
  for (const name of path) schema = shapeOf(schema)?.[String(name)];
  return Object.keys(shapeOf(schema) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const { shape, def } = schema as { shape?: Record<string, unknown>; def?: { innerType?: unknown } };
  return shape ?? (def?.innerType === undefined ? undefined : shapeOf(def.innerType));
}

/** A value as a person would write it, cut short. */
function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a table";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
