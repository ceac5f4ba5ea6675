import { chownSync } from "node:fs";
import { userInfo } from "node:os";
import { output } from "../world/processes.ts";

/** Whom a database runs as: databases refuse root, and their packages bring an account of their own. */
export async function databaseAccount(name: string): Promise<{ uid: number; gid: number } | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const [uid, gid] = await Promise.all([output("id", ["-u", name]), output("id", ["-g", name])]);
  return { uid: Number(uid), gid: Number(gid) };
}

/** Gives a folder to an account. */
export function giveTo(account: { uid: number; gid: number } | undefined, folder: string): void {
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
}
