import process from "node:process";
import { main } from "../../../src/cli/main.ts";

/** What a command printed, and its exit code. */
export interface Captured {
  code: number;
  out: string;
  err: string;
}

/** Runs petit in this process, as `petit argv…`, and keeps what it prints. */
export async function petit(...argv: string[]): Promise<Captured> {
  const { stdout, stderr } = process;
  const before = { out: stdout.write, err: stderr.write };
  const captured: Captured = { code: -1, out: "", err: "" };
  const keep = (where: "out" | "err") => (text: string | Uint8Array): boolean => {
    captured[where] += text;
    return true;
  };
  stdout.write = keep("out");
  stderr.write = keep("err");
  try {
    captured.code = await main(argv);
  } finally {
    stdout.write = before.out;
    stderr.write = before.err;
  }
  return captured;
}
