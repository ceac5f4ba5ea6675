import process from "node:process";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { PetitError } from "../../error.ts";

/** More than any secret has, in characters. */
const MOST = 4096;

/** Whether there is a person to be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks a person for a secret, or reads the first line of standard input where there is none: so it is neither in the process list, where all users
 * see the arguments, nor in the shell's history. What is typed is not shown.
 *
 * @param what its name, such as "Join code"
 * @throws PetitError `input-ended`
 */
export async function askSecret(what: string): Promise<string> {
  const asked = canAsk();
  const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
  const reading = createInterface({ input: process.stdin, output: nowhere, terminal: asked });
  // From here on the terminal shows nothing of what is typed.
  if (asked) process.stderr.write(`${what} (it is not shown): `);
  let interrupted = false;
  reading.on("SIGINT", () => {
    interrupted = true;
    reading.close();
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      reading.once("line", (line) => resolve(line.trim().slice(0, MOST)));
      reading.once("close", () =>
        reject(
          new PetitError(
            "input-ended",
            interrupted ? "Interrupted" : `There is no ${lowerFirst(what)} on standard input`,
          ),
        ));
    });
  } finally {
    reading.close();
    process.stdin.pause();
    if (asked) process.stderr.write("\n");
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
