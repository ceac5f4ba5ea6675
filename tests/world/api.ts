import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { serveClientApi } from "../../src/client/rest/client_api.ts";
import { effectiveSettings } from "../../src/config/effective.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { apiToken } from "../../src/control/api_token.ts";
import type { DaemonFacilities } from "../../src/control/daemon_facilities.ts";
import { openLog } from "../../src/observe/open_log.ts";
import { writeStateFile } from "../../src/platform/state_file.ts";
import { serveServerApi } from "../../src/server/rest/server_api.ts";
import type { Scope, TestClient, TestServer } from "./world.ts";

/** An answer of an API. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** The body read as JSON. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
}

export interface Asked {
  /** The token by default; null sends none. */
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
}

type Facilities = Omit<DaemonFacilities, "role" | "reload" | "metrics">;

/** The API of a daemon in this process, on a real socket, with the daemon's running settings in its config file. */
export class TestApi {
  readonly port: number;
  readonly token: string;
  readonly facilities: Facilities;

  private constructor(port: number, facilities: Facilities) {
    this.port = port;
    this.facilities = facilities;
    this.token = apiToken(facilities.folder);
  }

  /** The API of a server that runs. `stop` is called where the server would be asked to stop. */
  static async ofServer(scope: Scope, server: TestServer, stop = () => {}): Promise<TestApi> {
    const { control, usage, audit, metrics } = server.running;
    control.config.apiPort = 0;
    const facilities = makeFacilities(server.folder, server.config, "server", stop);
    const reload = () => control.reload(loadConfig(facilities.configFile).config.server);
    const served = await serveServerApi({ ...facilities, control, usage, audit, metrics, reload });
    scope.after(() => served.close());
    return new TestApi(served.port, facilities);
  }

  /** The API of a client that runs. */
  static async ofClient(scope: Scope, client: TestClient, stop = () => {}): Promise<TestApi> {
    const { control, metrics } = client.running;
    control.config.apiPort = 0;
    const facilities = makeFacilities(client.folder, client.config, "client", stop);
    const reload = () => control.reload(loadConfig(facilities.configFile).config.client);
    const served = await serveClientApi({ ...facilities, control, metrics, reload });
    scope.after(() => served.close());
    return new TestApi(served.port, facilities);
  }

  /** Asks, with the token. */
  ask(method: string, path: string, { token = this.token, headers = {}, body }: Asked = {}): Promise<Answer> {
    const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = httpRequest({
        host: "127.0.0.1",
        port: this.port,
        method,
        path,
        agent: false,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(content === undefined
            ? {}
            : { "content-type": "application/json", "content-length": String(Buffer.byteLength(content)) }),
          ...headers,
        },
      }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part) => text += part);
        answer.on("error", reject);
        answer.on("end", () => {
          const { statusCode: status = 0, headers } = answer;
          resolve({
            status,
            headers,
            text,
            get json() {
              return JSON.parse(text);
            },
          });
        });
      });
      sent.on("error", reject);
      sent.end(content);
    });
  }

  get(path: string, asked?: Asked): Promise<Answer> {
    return this.ask("GET", path, asked);
  }

  /** The text of the config file. */
  get config(): string {
    return readFileSync(this.facilities.configFile, "utf8");
  }

  set config(text: string) {
    writeStateFile(this.facilities.configFile, text);
  }
}

function makeFacilities(folder: string, config: Config, role: "server" | "client", stop: () => void): Facilities {
  const configFile = join(folder, "config.toml");
  const lines = Object.entries(effectiveSettings(config, role)).map(([section, settings]) => {
    const values = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join("");
    return `# Section ${section}\n[${section}]\n${values}`;
  });
  writeStateFile(configFile, lines.join("\n"));
  const kept = { folder: "", maxSize: 1024 ** 2, maxFiles: 1 };
  const { log, tail, setLevel } = openLog({ level: "info", name: role, stderr: false, ...kept });
  const restart = () => Promise.resolve({ pid: 1 });
  return { folder, configFile, log, tail, setLevel, stop, restart };
}
