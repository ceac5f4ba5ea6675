import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { giveToOwner } from "../platform/give_to_owner.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { findToken, type TokenScope } from "./named_tokens.ts";

const FILE = "api-token";

/** 256 bits, in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * The token of the REST APIs of this folder's daemons, from the file `api-token`, which is made if there is none.
 *
 * @throws PetitError `token-exposed` where others may read the file, `token-unreadable`, `token-damaged` or `state-unwritable`
 */
export function apiToken(folder: string): string {
  const file = join(folder, FILE);
  if (!existsSync(file)) make(file, folder);
  let text: string;
  let mode: number;
  try {
    ({ mode } = statSync(file));
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new PetitError("token-unreadable", `Cannot read "${file}": ${messageOf(error)}`, {
      hint: "Run this as the user that the daemon runs as, such as with sudo -u USER",
      cause: error,
    });
  }
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new PetitError("token-exposed", `Others can read "${file}" (mode ${(mode & 0o777).toString(8)})`, {
      hint: `They may have the token: delete the file, and a new one is made; or run chmod 600 on it`,
    });
  }
  if (TOKEN.test(text)) return text;
  throw new PetitError("token-damaged", `"${file}" does not hold a token`, {
    hint: "Delete the file, and a new one is made",
  });
}

/** What a token lets do; undefined where it is none. @throws PetitError as `apiToken` and `namedTokens` */
export function scopeOfToken(folder: string, given: string): TokenScope | undefined {
  return findToken(folder, given)?.scope ?? (isApiToken(folder, given) ? "all" : undefined);
}

/** Whether `given` is the owner's token. The time that it takes tells nothing about how much of it is right. @throws PetitError as `apiToken` */
export function isApiToken(folder: string, given: string): boolean {
  return timingSafeEqual(digest(given), digest(apiToken(folder)));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Two daemons may share a folder and begin together: the link is made by one of them only, and both read the same file then. */
function make(file: string, folder: string): void {
  const fresh = `${file}.${randomBytes(6).toString("hex")}`;
  writeStateFile(fresh, `${randomBytes(32).toString("base64url")}\n`);
  try {
    giveToOwner(folder, fresh);
    linkSync(fresh, file);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") {
      throw new PetitError("state-unwritable", `Cannot write "${file}": ${messageOf(error)}`, { cause: error });
    }
  } finally {
    rmSync(fresh, { force: true });
  }
}
