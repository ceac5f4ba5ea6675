import process from "node:process";
import { createInterface } from "node:readline";
import { PetitError } from "../../error.ts";

/** Asks the person at the terminal, on standard error, and returns the line that is typed. @throws PetitError `input-ended` */
export async function askLine(question: string): Promise<string> {
  const reading = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string>((resolve, reject) => {
      reading.once("close", () => reject(new PetitError("input-ended", "Nothing was answered")));
      reading.question(question, (line) => resolve(line.trim()));
    });
  } finally {
    reading.close();
    process.stdin.pause();
  }
}
