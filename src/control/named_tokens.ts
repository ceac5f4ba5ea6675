import { createHash, randomBytes } from "node:crypto";
import { linkSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { giveToOwner } from "../platform/give_to_owner.ts";
import { makeStateFolder, writeStateFile } from "../platform/state_file.ts";

/**
 * Tokens of scripts and scrapers beside the owner's own (api_token.ts): each has a name, may do everything or only read, and can be revoked by
 * itself. A file for each, `api-tokens/NAME`, so that two commands at a time lose nothing; what it holds is a hash.
 */
const FOLDER = "api-tokens";

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** What a token lets do. */
export type TokenScope = "all" | "read";

/** What its file says. */
interface TokenFile {
  readonly scope: TokenScope;
  /** SHA-256, in hexadecimal digits: of 256 random bits nothing slower is needed. */
  readonly hash: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface NamedToken extends TokenFile {
  readonly name: string;
}

/**
 * Makes a token; its text is told here and never again.
 *
 * @throws PetitError `token-name-invalid`, `token-exists` or `state-unwritable`
 */
export function addToken(folder: string, name: string, scope: TokenScope, now = new Date()): string {
  if (!NAME.test(name)) {
    throw new PetitError("token-name-invalid", `"${name.slice(0, 80)}" cannot be the name of a token`, {
      hint: "Wanted: small letters, digits, dots, dashes and underscores, 64 at most, a letter or digit first",
      exitCode: 2,
    });
  }
  const token = randomBytes(32).toString("base64url");
  const content: TokenFile = { scope, hash: hashOf(token), createdAt: now.toISOString() };
  makeStateFolder(join(folder, FOLDER));
  giveToOwner(folder, join(folder, FOLDER));
  const file = join(folder, FOLDER, name);
  // No name of a token begins with a dot.
  const fresh = join(folder, FOLDER, `.${randomBytes(6).toString("hex")}`);
  writeStateFile(fresh, `${JSON.stringify(content)}\n`);
  try {
    giveToOwner(folder, fresh);
    linkSync(fresh, file);
  } catch (error) {
    if (systemCode(error) === "EEXIST") {
      throw new PetitError("token-exists", `There is a token "${name}" already`, {
        hint: "Revoke it first, or choose another name",
      });
    }
    throw new PetitError("state-unwritable", `Cannot write "${file}": ${messageOf(error)}`, { cause: error });
  } finally {
    rmSync(fresh, { force: true });
  }
  return token;
}

/** All tokens but the owner's own, by name. What cannot be read lets nobody in. @throws PetitError `token-unreadable` */
export function namedTokens(folder: string): NamedToken[] {
  let names: string[];
  try {
    names = readdirSync(join(folder, FOLDER)).filter((name) => NAME.test(name)).sort();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw new PetitError("token-unreadable", `Cannot read "${join(folder, FOLDER)}": ${messageOf(error)}`, {
      cause: error,
    });
  }
  return names.flatMap((name) => {
    const content = read(join(folder, FOLDER, name));
    return content === undefined ? [] : [{ name, ...content }];
  });
}

/** @throws PetitError `token-unknown` or `state-unwritable` */
export function revokeToken(folder: string, name: string): void {
  const file = join(folder, FOLDER, name);
  try {
    if (!NAME.test(name)) throw Object.assign(new Error("no such name"), { code: "ENOENT" });
    rmSync(file);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") {
      throw new PetitError("state-unwritable", `Cannot remove "${file}": ${messageOf(error)}`, { cause: error });
    }
    const others = namedTokens(folder).map((token) => token.name).join(", ");
    throw new PetitError("token-unknown", `There is no token "${name.slice(0, 80)}"`, {
      hint: others === "" ? "There are none beside the owner's own" : `There are: ${others}`,
    });
  }
}

/** The token that was given, or undefined. How long that takes tells nothing: what is compared is a hash. */
export function findToken(folder: string, given: string): NamedToken | undefined {
  const hash = hashOf(given);
  return namedTokens(folder).find((token) => token.hash === hash);
}

/** A file that others can write is none: they could have put it there. */
function read(file: string): TokenFile | undefined {
  try {
    if (process.platform !== "win32" && (statSync(file).mode & 0o022) !== 0) return undefined;
    const { scope, hash, createdAt } = JSON.parse(readFileSync(file, "utf8")) as Partial<TokenFile>;
    if ((scope !== "all" && scope !== "read") || !/^[0-9a-f]{64}$/.test(String(hash))) return undefined;
    return { scope, hash: String(hash), createdAt: String(createdAt) };
  } catch {
    return undefined;
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
