import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Files } from "./files.ts";
import { answers, freePorts } from "./free_ports.ts";
import { Daemon } from "./processes.ts";

/** The private service: one worker of nginx that serves the files, and takes uploads. */
export async function startNginx(
  program: string,
  folder: string,
  files: Files,
): Promise<{ port: number; daemon: Daemon }> {
  mkdirSync(folder);
  const [port = 0, receiptPort = 0] = await freePorts(2);
  const config = join(folder, "nginx.conf");
  writeFileSync(config, configuration(folder, files, port, receiptPort));
  const daemon = new Daemon([program, "-p", folder, "-c", config], join(folder, "log"));
  await daemon.until("nginx listens", () => answers(port));
  return { port, daemon };
}

function configuration(folder: string, files: Files, port: number, receiptPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(folder, name)};`).join("\n  ");
  return `
${process.getuid?.() === 0 ? "user root root;" : ""}
daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
error_log stderr;
events { worker_connections 4096; }
http {
  ${temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100 inactive=1h;
  open_file_cache_valid 1h;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files.folder};
    # Reads an upload to its end and forgets it. "return 200" alone would answer before the body is there, and a file
    # would measure the disk. So nginx takes the body into memory, as it does for any proxied request, and passes the
    # request on without it, to itself, which answers with the number of bytes that were received.
    location = /upload {
      client_body_buffer_size ${files.large.size + 65_536};
      proxy_pass http://127.0.0.1:${receiptPort};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Received $request_length;
    }
    # Keeps an upload, so that what arrives can be compared with what was sent.
    location /kept/ {
      dav_methods PUT;
    }
  }
  server {
    listen 127.0.0.1:${receiptPort};
    location / { return 200 $http_x_received; }
  }
}
`;
}
