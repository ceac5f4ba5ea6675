import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { SshdAccount } from "../openssh/sshd_account.ts";
import { type CheckItem, ok } from "./check_item.ts";
import type { SshdSettings } from "./sshd_settings.ts";

const OTHERS_WRITE = 0o022;

/** Whether sshd trusts the file of keys: it and its folders, up to the user's home, may be written by that user and root alone (StrictModes). */
export function checkStrictModes(sshd: SshdSettings, { authorizedKeys, home, uid, name }: SshdAccount): CheckItem {
  if ((sshd.of("StrictModes")[0] ?? "yes").toLowerCase() === "no") {
    return ok("StrictModes", "sshd does not look at modes");
  }
  for (let path = authorizedKeys;; path = dirname(path)) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && found.uid !== 0 && found.uid !== uid) {
      return wrong(
        `"${path}" belongs to neither ${name} nor root: sshd does not read the keys`,
        `Run chown ${name} "${path}"`,
      );
    }
    if (found !== undefined && (found.mode & OTHERS_WRITE) !== 0) {
      return wrong(`Others can write "${path}": sshd does not read the keys`, `Run chmod go-w "${path}"`);
    }
    if (path === home || path === dirname(path)) return ok("StrictModes", `sshd trusts "${authorizedKeys}"`);
  }
}

const wrong = (detail: string, hint: string): CheckItem => ({ name: "StrictModes", state: "failed", detail, hint });
