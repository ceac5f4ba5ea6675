import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { ServerConfig } from "../../config/schema.ts";
import { PetitError } from "../../error.ts";

/** Whom clients log in as at the system's sshd. */
export interface SshdAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The file of its keys that petit keeps. */
  readonly authorizedKeys: string;
}

type Settings = Pick<ServerConfig["ssh"], "sshdUser" | "authorizedKeysFile">;

/** @throws PetitError `sshd-user-unknown` */
export function sshdAccount({ sshdUser, authorizedKeysFile: file }: Settings): SshdAccount {
  const account = sshdUser === "" ? ownAccount() : accountOf(sshdUser);
  return { ...account, authorizedKeys: file.startsWith("~/") ? join(account.home, file.slice(2)) : file };
}

type Account = Omit<SshdAccount, "authorizedKeys">;

/** As sshd sees this process's user: what the environment says of name and home is not asked. */
function ownAccount(): Account {
  const { username: name, uid, gid, homedir: home } = userInfo();
  return account((parts) => parts[2] === String(uid), String(uid)) ?? { name, uid, gid, home };
}

/** @throws PetitError `sshd-user-unknown` */
function accountOf(name: string): Account {
  const found = /^\w[\w.@-]*\$?$/.test(name) ? account((parts) => parts[0] === name, name) : undefined;
  if (found !== undefined) return found;
  throw new PetitError("sshd-user-unknown", `There is no user "${name}" on this machine`, {
    hint: "[server.ssh] sshdUser names whom clients log in as at the system's sshd",
  });
}

/** getent knows those of LDAP too; a system without it has them in the file. */
function account(isIt: (parts: string[]) => boolean, key: string): Account | undefined {
  const line = passwd(key).split("\n").map((line) => line.split(":")).find(isIt);
  const [name = "", , uid = "", gid = "", , home = ""] = line ?? [];
  return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? { name, uid: Number(uid), gid: Number(gid), home } : undefined;
}

function passwd(key: string): string {
  try {
    return execFileSync("getent", ["passwd", key], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    try {
      return readFileSync("/etc/passwd", "utf8");
    } catch {
      return "";
    }
  }
}
