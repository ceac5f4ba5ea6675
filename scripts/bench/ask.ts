import { request } from "node:http";
import type { Contender } from "./contenders.ts";

/** One request on a connection of its own. */
export function ask(
  { port, host }: Pick<Contender, "port" | "host">,
  method: string,
  path: string,
  content?: Buffer,
): Promise<{ status: number | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { host, ...(content === undefined ? {} : { "content-length": content.length }) };
    const question = request(
      { host: "127.0.0.1", port, method, path, headers, agent: false, timeout: 30_000 },
      (answer) => {
        const body: Buffer[] = [];
        answer.on("data", (bytes: Buffer) => body.push(bytes));
        answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(body) }));
        answer.on("error", reject);
      },
    );
    question.on("timeout", () => question.destroy(new Error(`${method} ${path}: nothing for 30 s`)));
    question.on("error", reject);
    question.end(content);
  });
}
