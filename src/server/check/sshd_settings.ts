import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { lastWords, runProgram } from "../../platform/service/run_program.ts";

/** sshd's settings as they are for one user: by keyword in lower case, each as often as it is given. */
export interface SshdSettings {
  /** "sshd": as the program itself tells them; "file": as far as a look at its file tells. */
  readonly source: "sshd" | "file";
  /** Why sshd could not be asked; undefined where it was. */
  readonly why: string | undefined;
  of(keyword: string): readonly string[];
}

/** Where systems keep a program that is not for everyone's PATH. */
const PROGRAMS = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];

/** An address that is nobody's (RFC 5737): clients come from anywhere. */
const SOMEWHERE = "203.0.113.1";

/**
 * What holds for a user, Match blocks included. sshd itself is asked where that can be done: it does not tell without a host key that it can
 * read, so it is given one.
 *
 * @param hostKey a private host key that this process can read
 */
export async function readSshdSettings(
  config: string,
  user: string,
  port: number,
  hostKey: string,
): Promise<SshdSettings> {
  const program = PROGRAMS.find((path) => existsSync(path));
  let why = "there is no sshd on this machine";
  if (program !== undefined) {
    const whom = `user=${user},host=somewhere,addr=${SOMEWHERE},laddr=${SOMEWHERE},lport=${port}`;
    const result = await runProgram(program, [
      "-T",
      "-f",
      config,
      ...existsSync(hostKey) ? ["-h", hostKey] : [],
      "-C",
      whom,
    ], "");
    if (result.code === 0) return settingsOf(result.stdout, "sshd", undefined);
    why = lastWords(result);
  }
  return settingsOf(flatten(config, user, 0), "file", why);
}

/** @param text a keyword and its value a line, as `sshd -T` prints them; of several the first counts, but for those that are lists */
export function settingsOf(text: string, source: SshdSettings["source"], why: string | undefined): SshdSettings {
  const all = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, keyword = "", value = ""] = /^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    if (keyword === "") continue;
    const name = keyword.toLowerCase();
    all.set(name, [...all.get(name) ?? [], value.replace(/^"(.*)"$/, "$1")]);
  }
  return { source, why, of: (keyword) => all.get(keyword.toLowerCase()) ?? [] };
}

/** Includes within includes, as in sshd. */
const MAX_DEPTH = 16;

/**
 * The lines of a config file that hold for a user: those before the first Match, and those of blocks that name the user alone. What a block
 * asks for besides is not known here.
 *
 * @throws Error of the system where the file cannot be read
 */
function flatten(file: string, user: string, depth: number): string {
  const inBlocks: string[] = [];
  const outside: string[] = [];
  let matching: boolean | undefined;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [, keyword = "", value = ""] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    if (keyword.toLowerCase() === "match") matching = isFor(value, user);
    else if (keyword.toLowerCase() === "include" && depth < MAX_DEPTH) {
      const included = value.split(/\s+/).flatMap((pattern) => globSync(resolve("/etc/ssh", pattern)).sort());
      const lines = included.map((path) => existsSync(path) ? flatten(path, user, depth + 1) : "");
      if (matching !== false) (matching ? inBlocks : outside).push(...lines);
    } else if (matching !== false) (matching ? inBlocks : outside).push(line);
  }
  // What a block says prevails.
  return [...inBlocks, ...outside].join("\n");
}

function isFor(criteria: string, user: string): boolean {
  const [, users] = /^user\s+(\S+)$/i.exec(criteria) ?? [];
  return /^all$/i.test(criteria) || (users !== undefined && isListed(users.split(","), user));
}

/** Whether one of sshd's patterns matches (ssh_config(5), PATTERNS). */
export function isListed(patterns: readonly string[], name: string): boolean {
  const matches = (pattern: string) => {
    const [user = ""] = pattern.split("@");
    const escaped = user.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
    return new RegExp(`^${escaped}$`).test(name);
  };
  if (patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern));
}
