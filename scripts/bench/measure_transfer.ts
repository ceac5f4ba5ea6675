import type { Contender } from "./contenders.ts";
import type { Files } from "./files.ts";
import { must } from "./processes.ts";
import type { Sample } from "./rounds.ts";

/** One download of the large file by curl, in MB/s. @throws Error where it did not arrive as a whole */
export async function measureDownload(contender: Contender, files: Files, curl: string): Promise<Sample> {
  const { status, size, seconds } = await transfer(contender, curl, "size_download", [
    ...["-o", "/dev/null", `http://127.0.0.1:${contender.port}/${files.large.name}`],
  ]);
  if (status !== 200 || size !== files.large.size) throw new Error(`status ${status}, ${size} bytes`);
  return { rate: size / seconds / 1e6 };
}

/** One upload of the large file by curl, in MB/s, until the service has confirmed it. @throws Error where it has not */
export async function measureUpload(contender: Contender, files: Files, curl: string): Promise<Sample> {
  const { status, size, seconds, body } = await transfer(contender, curl, "size_upload", [
    ...["-H", "Expect:", "-T", files.large.path, `http://127.0.0.1:${contender.port}/upload`],
  ]);
  // The service counts the head of the request in.
  const received = Number(body);
  if (status !== 200 || size !== files.large.size || !(received > size)) {
    throw new Error(`status ${status}, ${size} bytes sent, ${received} received`);
  }
  return { rate: size / seconds / 1e6 };
}

async function transfer(
  { host }: Contender,
  curl: string,
  sizeName: string,
  args: string[],
): Promise<{ status: number; size: number; seconds: number; body: string }> {
  const format = `\\n%{http_code} %{${sizeName}} %{time_total}`;
  const output = await must([curl, "-sS", "--max-time", "120", "-H", `Host: ${host}`, "-w", format, ...args]);
  const cut = output.lastIndexOf("\n");
  const [status = 0, size = 0, seconds = 0] = output.slice(cut + 1).split(" ").map(Number);
  return { status, size, seconds, body: output.slice(0, cut) };
}
