import { lchownSync, statSync } from "node:fs";
import process from "node:process";

/** What root makes in the folder of somebody else's daemon has to be that one's. A link leads nowhere: it is given away itself. */
export function giveToOwner(folder: string, path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  if (uid !== 0) lchownSync(path, uid, gid);
}
