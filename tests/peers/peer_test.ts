import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { petitExecutable } from "../world/executable.ts";

/** Where Debian keeps programs that are not for everyone's PATH. */
const MORE_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/lib/postgresql/*/bin"];

/** Path of a program, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...MORE_FOLDERS.flatMap((folder) => folder.includes("*") ? globSync(folder) : [folder]),
  ];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** Path of a program that a test has named among its needs. */
export function program(name: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`The test uses ${name} without saying that it needs it`);
  return found;
}

/** Something that a test needs besides programs. */
export interface Need {
  readonly name: string;
  readonly met: () => boolean;
}

/** The names of those needs that are not met. */
export function missingOf(needs: (string | Need)[]): string[] {
  return needs
    .filter((need) => typeof need === "string" ? findProgram(need) === undefined : !need.met())
    .map((need) => typeof need === "string" ? need : need.name);
}

/**
 * A test of the compiled petit with programs of other people. It is skipped where one is missing, except under CI,
 * which installs all of them: there a test that cannot run has failed.
 *
 * @param needs names of programs, or other things
 */
export function peerTest(name: string, needs: (string | Need)[], body: (t: TestContext) => Promise<void>): void {
  const missing = missingOf(needs);
  if (!existsSync(petitExecutable)) missing.push(`${petitExecutable} (npm run build)`);
  if (missing.length === 0) test(name, body);
  else leaveOut(name, `needs ${missing.join(", ")}`);
}

/**
 * A test that cannot run: left out with the reason, except under CI, where it has failed.
 *
 * @param why "needs …"
 * @param excuse what CI cannot do anything about either
 */
export function leaveOut(name: string, why: string, excuse?: string): void {
  if (process.env["CI"] === "true" && excuse === undefined) {
    test(name, () => {
      throw new Error(`This test cannot be skipped here, and it ${why}`);
    });
    return;
  }
  const skip = excuse === undefined ? why : `${why}: ${excuse}`;
  // Bun prints no reasons.
  console.error(`(skip) ${name}: ${skip}`);
  test(name, { skip }, () => {});
}
