import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ask } from "./ask.ts";
import type { Contender } from "./contenders.ts";
import type { Files } from "./files.ts";
import { run } from "./processes.ts";

/** Whether a contender answers rightly; returns what is wrong, or nothing. */
export async function wrongAnswer(contender: Contender, files: Files, curl: string): Promise<string | undefined> {
  const { small, large } = files;
  for (let time = 1; time <= 3; time++) {
    const { status, body } = await ask(contender, "GET", `/${small.name}`);
    if (status !== 200 || !body.equals(small.content)) {
      return `1 KiB: status ${status}, ${body.length} bytes, wrong content`;
    }
  }
  const hash = createHash("sha256");
  const url = `http://127.0.0.1:${contender.port}/${large.name}`;
  const { code, stderr } = await run(
    [curl, "-sSf", "-H", `Host: ${contender.host}`, url],
    (bytes) => hash.update(bytes),
  );
  if (code !== 0) return `large download: curl ended with ${code}: ${stderr.trim()}`;
  if (hash.digest("hex") !== large.sha256) return "large download: wrong content";

  const { status } = await ask(contender, "PUT", `/kept/${contender.name}`, files.kept);
  if (status !== 201) return `upload: status ${status}`;
  if (!readFileSync(join(files.keptFolder, contender.name)).equals(files.kept)) return "upload: wrong content";
  return undefined;
}
