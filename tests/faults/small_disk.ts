import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";

/** A folder on a disk of its own, of so many bytes; undefined where this user may mount none. */
export function smallDisk(scope: Scope, size: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  let mounted: string | undefined;
  // Before its folder goes.
  scope.after(() => mounted === undefined ? undefined : execFileSync("umount", ["-l", mounted]));
  const folder = join(temporaryFolder(scope), "disk");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return mounted = folder;
}

/** Leaves no room on a small disk. @returns makes room again */
export function fillDisk(disk: string): () => void {
  const fillers: string[] = [];
  for (let size = 512 * 1024; size >= 1; size = Math.floor(size / 2)) {
    for (let more = true; more;) {
      const filler = join(disk, `filler-${fillers.length}`);
      fillers.push(filler);
      try {
        writeFileSync(filler, Buffer.alloc(size));
      } catch {
        more = false;
        rmSync(filler, { force: true });
        if (size <= 4096) return () => fillers.forEach((file) => rmSync(file, { force: true }));
      }
    }
  }
  throw new Error(`"${disk}" cannot be filled`);
}
