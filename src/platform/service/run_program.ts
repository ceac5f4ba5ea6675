import { execFile } from "node:child_process";
import { messageOf, PetitError, systemCode } from "../../error.ts";

/** What became of a program. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds after which a program is given up; stopping a daemon waits for its requests. */
const TIMEOUT = 300_000;

/**
 * Runs a program of the operating system, without a shell.
 *
 * @param absent what to do where the program is not there
 * @throws PetitError `service-manager-missing`
 */
export function runProgram(program: string, args: readonly string[], absent: string): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: TIMEOUT, windowsHide: true }, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr });
      if (systemCode(error) === "ENOENT") {
        return reject(
          new PetitError("service-manager-missing", `There is no "${program}" on this machine`, { hint: absent }),
        );
      }
      const code = typeof error.code === "number" ? error.code : 1;
      resolve({ code, stdout, stderr: stderr === "" && typeof error.code !== "number" ? messageOf(error) : stderr });
    });
  });
}

/** What a failed program had to say, on one line. */
export function lastWords({ code, stdout, stderr }: ProgramResult): string {
  const words = (stderr.trim() === "" ? stdout : stderr).trim().replace(/\s*\r?\n\s*/g, "; ");
  return words === "" ? `it exited with ${code}` : words.replace(/\.$/, "");
}
