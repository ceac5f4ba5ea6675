import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
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

function ownAccount(): Account {
  const { username: name, uid, gid, homedir: home } = userInfo();
  return { name, uid, gid, home: process.env["HOME"] || home };
}

/** getent knows those of LDAP too; a system without it has them in the file. */
function accountOf(name: string): Account {
  const line = /^[\w.@-]+$/.test(name) && !name.startsWith("-") ? passwdLine(name) : undefined;
  const [, , uid = "", gid = "", , home = ""] = line?.split(":") ?? [];
  if (!/^\d+$/.test(uid)) {
    throw new PetitError("sshd-user-unknown", `There is no user "${name}" on this machine`, {
      hint: "[server.ssh] sshdUser names whom clients log in as at the system's sshd",
    });
  }
  return { name, uid: Number(uid), gid: Number(gid), home };
}

function passwdLine(name: string): string | undefined {
  let lines: string;
  try {
    lines = execFileSync("getent", ["passwd", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    try {
      lines = readFileSync("/etc/passwd", "utf8");
    } catch {
      return undefined;
    }
  }
  return lines.split("\n").find((line) => line.startsWith(`${name}:`));
}
