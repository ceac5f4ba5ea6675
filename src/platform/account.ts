import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

/** A user of this machine. */
export interface Account {
  readonly name: string;
  /** -1 where the system has no such numbers. */
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** This process's user as the system knows it. Bun believes the environment's USER and HOME, which whoever types has chosen. */
export function ownAccount(): Account {
  const { username: name, uid, gid, homedir: home } = userInfo();
  return find((parts) => parts[2] === String(uid), String(uid)) ?? { name, uid, gid, home };
}

/** Undefined where there is no such user. */
export function accountOf(name: string): Account | undefined {
  return /^\w[\w.@-]*\$?$/.test(name) ? find((parts) => parts[0] === name, name) : undefined;
}

/** getent knows those of LDAP too; a system without it has them in the file. */
function find(isIt: (parts: string[]) => boolean, key: string): Account | undefined {
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
