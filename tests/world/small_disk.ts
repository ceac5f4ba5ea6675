import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Scope, temporaryFolder } from "./temporary_folder.ts";

/** A disk of 512 KiB, which a test can fill. */
export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = join(folder, "filler");
  }

  /** Undefined where this user may mount none. */
  static mount(scope: Scope): SmallDisk | undefined {
    let mounted: string | undefined;
    // Before its folder goes.
    scope.after(() => mounted === undefined ? undefined : execFileSync("umount", ["-l", mounted]));
    const folder = join(temporaryFolder(scope), "disk");
    mkdirSync(folder);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], { stdio: "ignore" });
    } catch {
      return undefined;
    }
    return new SmallDisk(mounted = folder);
  }

  /** Leaves no room. */
  fill(): void {
    this.empty();
    for (let size = 512 * 1024; size > 0; size -= 4096) {
      try {
        return writeFileSync(this.#filler, Buffer.alloc(size));
      } catch {
        // Not as much room as that.
      }
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }
}
