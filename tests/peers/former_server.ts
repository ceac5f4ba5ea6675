import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configure, type Settings } from "../world/executable.ts";
import { firstReversePort } from "../world/ports.ts";
import { type Background, freePort, output } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";
import { formerEnv, type FormerOutput, formerProgram, launchFormer } from "./former.ts";
import type { FormerTarget } from "./former_client.ts";
import { type Redis, startRedis } from "./redis.ts";
import { type Sshd, startSshd } from "./sshd.ts";

/** Reverse ports that it may give away. */
const REVERSE_PORTS = 20;

/**
 * A server of 0.6.34 with all that it needs: a Redis, and a stock sshd at which its clients log in. It appends their
 * keys to $HOME/.ssh/authorized_keys, so it has a home of its own.
 */
export class FormerServer {
  readonly home: string;
  readonly config: string;
  redis!: Redis;
  sshd!: Sshd;
  proxyPort = 0;
  secureProxyPort = 0;
  backPort = 0;
  /** Where it takes commands. */
  listenPort = 0;
  apiPort = 0;
  /** The latest process; its lines are JSON, except for those that it prints past its log and the trace of its death. */
  process!: Background;
  readonly #scope: Scope;

  private constructor(scope: Scope) {
    this.#scope = scope;
    // Stopped before its folder goes.
    scope.after(() => this.process?.stop());
    this.home = temporaryFolder(scope);
    this.config = join(this.home, ".petit", "config.toml");
  }

  /** Makes its world; it is not started yet. `settings` go into its config.toml. */
  static async make(scope: Scope, settings: Settings = {}): Promise<FormerServer> {
    const server = new FormerServer(scope);
    const authorizedKeys = join(server.home, ".ssh", "authorized_keys");
    // It takes the making of a folder for an error, and a file that is missing for none.
    for (const folder of [".ssh", ".petit/logs", ".petit/patches"]) {
      mkdirSync(join(server.home, folder), { recursive: true });
    }
    writeFileSync(authorizedKeys, "", { mode: 0o600 });
    server.redis = await startRedis(scope);
    server.sshd = await startSshd(scope, {
      authorizedKeys,
      settings: ["PubkeyAcceptedAlgorithms +ssh-rsa", "GatewayPorts clientspecified"],
    });
    server.proxyPort = await freePort();
    server.secureProxyPort = await freePort();
    server.backPort = await freePort();
    server.listenPort = await freePort();
    server.apiPort = await freePort();
    // As its converter does: without them it would give away the port NaN.
    const first = firstReversePort();
    const open = Array.from({ length: REVERSE_PORTS }, (_, i) => ["0", String(first + i)]).flat();
    await server.redis.command("ZADD", "g2c/openPorts", ...open);
    await output(formerProgram("petit-server"), ["init", "-c", server.config], { env: formerEnv(server.home) });
    configure(server.config, {
      "server.proxyPort": server.proxyPort,
      "server.secureProxyPort": server.secureProxyPort,
      "server.backPort": server.backPort,
      "server.listenPort": server.listenPort,
      "server.apiPort": server.apiPort,
      "server.registryUrl": server.redis.url,
      "server.vitae.endpoint": `http://REGID.localhost:${server.proxyPort}`,
      ...settings,
    });
    return server;
  }

  /** Starts it, again on the same ports if it ran before; resolves when it listens everywhere. */
  async start(): Promise<this> {
    await this.launch().line((line) => line.includes("Proxy listening."));
    return this;
  }

  /** Starts it, and waits for nothing. */
  launch(output: FormerOutput = "lines"): Background {
    return this.process = launchFormer(this.#scope, "petit-serverd", this.config, this.home, output);
  }

  /** Ends it as a service manager does; nothing happens where it has died by itself. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  /** Where its clients go. */
  get target(): FormerTarget {
    return { sshPort: this.sshd.port, backPort: this.backPort, username: this.sshd.user };
  }

  /** The file at which its sshd looks, and to which it appends. */
  get authorizedKeys(): string {
    return this.sshd.authorizedKeys;
  }
}
