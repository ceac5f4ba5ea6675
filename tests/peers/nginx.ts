import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { freePort } from "../world/ports.ts";
import { Background, output } from "../world/processes.ts";
import { temporaryFolder } from "../world/world.ts";
import { program } from "./peer_test.ts";

/** nginx with keep-alive: GET serves files of the folder, PUT writes them, and X-Connection numbers its connections. */
export interface Nginx {
  readonly port: number;
  /** What is served. */
  readonly files: string;
}

export async function startNginx(t: TestContext): Promise<Nginx> {
  const started: Background[] = [];
  t.after(() => started[0]?.stop());
  const folder = temporaryFolder(t);
  const files = join(folder, "files");
  mkdirSync(files);
  const port = await freePort();
  const config = join(folder, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${join(folder, name)};\n`).join("");
  writeFileSync(
    config,
    `daemon off;
pid ${join(folder, "pid")};
${userInfo().uid === 0 ? "user root;" : ""}
worker_processes 1;
error_log ${join(folder, "error.log")} warn;
events { worker_connections 512; }
http {
${temporary}  default_type application/octet-stream;
  access_log off;
  add_header X-Connection $connection always;
  keepalive_requests 1000000;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port};
    root ${files};
    location / { dav_methods PUT; }
  }
}
`,
  );
  const command = ["-p", folder, "-e", join(folder, "error.log"), "-c", config];
  await output(program("nginx"), [...command, "-t"]);
  const server = new Background(program("nginx"), command);
  started.push(server);
  // nginx says nothing when it is ready.
  await output(program("curl"), [
    ...["-s", "--retry", "100", "--retry-connrefused", "--retry-delay", "0", "--retry-max-time", "20"],
    `http://127.0.0.1:${port}/nothing`,
  ]);
  return { port, files };
}
