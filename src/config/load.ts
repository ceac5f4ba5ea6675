import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { closest } from "../closest.ts";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { type Config, configSchema } from "./schema.ts";
import { type Place, TomlDocument, TomlSyntaxError } from "./toml.ts";

/** A config file that has been read and checked. */
export interface LoadedConfig {
  config: Config;
  /** Absolute path of the file. */
  file: string;
  /** Absolute path of the folder that holds the file and all state. */
  folder: string;
}

/**
 * Reads and checks a config file.
 *
 * @throws PetitError with exit code 2: `config-missing`, `config-unreadable`, `config-syntax` or `config-invalid`; the message names
 * the file, line and column, what was found and what is wanted.
 */
export function loadConfig(path: string): LoadedConfig {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") {
      throw new PetitError("config-missing", `There is no config file "${file}"`, {
        hint: 'Make one with "petit server init" or "petit client init", or name another with --config',
        exitCode: 2,
        cause: error,
      });
    }
    throw new PetitError("config-unreadable", `Cannot read the config file "${file}": ${messageOf(error)}`, {
      exitCode: 2,
      cause: error,
    });
  }
  return { config: parseConfig(text, file), file, folder: dirname(file) };
}

/** Checks the text of a config file; `file` is for messages and for relative paths. @throws PetitError as `loadConfig` */
export function parseConfig(text: string, file: string): Config {
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
  const result = configSchema.safeParse(document.value);
  if (!result.success) {
    const issue = result.error.issues[0] as z.core.$ZodIssue;
    const problem = describe(issue, document);
    throw new PetitError("config-invalid", `${at(document.placeOf(problem.path))}: ${problem.message}`, {
      exitCode: 2,
    });
  }
  return resolvePaths(result.data, dirname(file));
}

function describe(issue: z.core.$ZodIssue, document: TomlDocument): { path: PropertyKey[]; message: string } {
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] as string;
    const path = [...issue.path, key];
    const known = knownKeys(issue.path);
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

function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = configSchema;
  for (const name of path) schema = shapeOf(schema)?.[String(name)];
  return Object.keys(shapeOf(schema) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const { shape, def } = schema as { shape?: Record<string, unknown>; def?: { innerType?: unknown } };
  return shape ?? (def?.innerType === undefined ? undefined : shapeOf(def.innerType));
}

function resolvePaths(config: Config, folder: string): Config {
  const { server, client } = config;
  for (const daemon of [server, client]) {
    if (daemon.logFolder !== "") daemon.logFolder = resolve(folder, daemon.logFolder);
  }
  if (client.local.tlsCa !== "") client.local.tlsCa = resolve(folder, client.local.tlsCa);
  if (server.usageUrl !== "") server.usageUrl = resolveUrl(server.usageUrl, folder);
  server.certificates = resolve(folder, server.certificates);
  server.ssh.hostKey = resolve(folder, server.ssh.hostKey);
  server.registryUrl = resolveUrl(server.registryUrl, folder);
  return config;
}

function resolveUrl(url: string, folder: string): string {
  return `sqlite:${resolve(folder, url.slice("sqlite:".length))}`;
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
