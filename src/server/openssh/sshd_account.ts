import { join } from "node:path";
import type { ServerConfig } from "../../config/schema.ts";
import { PetitError } from "../../error.ts";
import { type Account, accountOf, ownAccount } from "../../platform/account.ts";

/** Whom clients log in as at the system's sshd. */
export interface SshdAccount extends Account {
  /** The file of its keys that petit keeps. */
  readonly authorizedKeys: string;
}

type Settings = Pick<ServerConfig["ssh"], "sshdUser" | "authorizedKeysFile">;

/** @throws PetitError `sshd-user-unknown` */
export function sshdAccount({ sshdUser, authorizedKeysFile: file }: Settings): SshdAccount {
  const account = sshdUser === "" ? ownAccount() : accountOf(sshdUser);
  if (account === undefined) {
    throw new PetitError("sshd-user-unknown", `There is no user "${sshdUser}" on this machine`, {
      hint: "[server.ssh] sshdUser names whom clients log in as at the system's sshd",
    });
  }
  return { ...account, authorizedKeys: file.startsWith("~/") ? join(account.home, file.slice(2)) : file };
}
