import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Scope, temporaryFolder } from "./temporary_folder.ts";

/** A disk of its own, which a test can fill. */
export class SmallDisk {
  readonly folder: string;
  readonly #size: number;
  #fillers: string[] = [];

  private constructor(folder: string, size: number) {
    this.folder = folder;
    this.#size = size;
  }

  /** @param size bytes @returns undefined where this system or this user has none */
  static mount(scope: Scope, size = 512 * 1024): SmallDisk | undefined {
    if (process.platform !== "linux") return undefined;
    let mounted: string | undefined;
    // Before its folder goes.
    scope.after(() => mounted === undefined ? undefined : execFileSync("umount", ["-l", mounted]));
    const folder = join(temporaryFolder(scope), "disk");
    mkdirSync(folder);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", folder], { stdio: "ignore" });
    } catch {
      return undefined;
    }
    return new SmallDisk(mounted = folder, size);
  }

  /** Leaves no room. */
  fill(): void {
    this.empty();
    for (let size = this.#size; size >= 4096; size = Math.floor(size / 2)) while (this.#add(size));
  }

  empty(): void {
    for (const file of this.#fillers) rmSync(file, { force: true });
    this.#fillers = [];
  }

  /** False where there is not as much room as that. */
  #add(size: number): boolean {
    const file = join(this.folder, `filler-${this.#fillers.length}`);
    try {
      writeFileSync(file, Buffer.alloc(size));
    } catch {
      rmSync(file, { force: true });
      return false;
    }
    this.#fillers.push(file);
    return true;
  }
}
