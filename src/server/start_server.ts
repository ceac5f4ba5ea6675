import type { ServerConfig } from "../config/schema.ts";
import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { listen, stopListening } from "../platform/listen.ts";
import { version } from "../platform/version.ts";
import { openRegistry } from "../registry/open_registry.ts";
import { Deadlines } from "./deadlines.ts";
import { addressList } from "./forwarded_fields.ts";
import { Gateway } from "./gateway.ts";
import { readHostKey } from "./host_key.ts";
import { Callers, createHttpProxy } from "./http_proxy.ts";
import { HttpsProxy } from "./https_proxy.ts";
import { ReversePorts } from "./ports.ts";
import { Registrar } from "./registrar.ts";
import { Routes } from "./routes.ts";
import { Tunnels } from "./tunnels.ts";

/** A server that is up. */
export interface RunningServer {
  readonly proxyPort: number;
  /** Undefined while there are no certificates. */
  readonly secureProxyPort: number | undefined;
  readonly sshPort: number;
  /** Settles when everything has been closed. */
  readonly closed: Promise<void>;
}

/**
 * Starts the public side: registry, SSH gateway with registrar, reverse ports, HTTP and HTTPS proxy. Resolves when
 * everything listens; ends when `signal` is aborted.
 *
 * @throws PetitError where something cannot be opened; nothing is left running then
 */
export async function startServer(config: ServerConfig, log: Log, signal: AbortSignal): Promise<RunningServer> {
  const undo: (() => unknown)[] = [];
  const close = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const hostKey = readHostKey(config.ssh.hostKey);
    const registry = openRegistry(config.registryUrl);
    undo.push(() => registry.close());
    const noise = new OnceAMinute();
    const routes = new Routes(
      registry,
      (error) =>
        noise.tell("registry", () => log.error({ err: error }, `Cannot read the registry: ${messageOf(error)}`)),
    );
    undo.push(() => routes.close());
    const tunnels = new Tunnels();
    const ports = new ReversePorts(tunnels, config.openTimeout, log, noise);
    undo.push(() => ports.closeAll());
    const registrar = new Registrar(registry, routes, { ...config.vitae, version }, config.firstReversePort, log);

    const gateway = new Gateway(
      { config, registry, routes, tunnels, ports, registrar, log, noise },
      hostKey.privatePem,
    );
    const sshPort = await listen(gateway.listener, config.ssh.listenHost, config.ssh.port, "[server.ssh] port");
    undo.push(() => (gateway.end(), stopListening(gateway.listener)));
    log.info({ port: sshPort, hostKey: hostKey.publicKey.fingerprint }, `SSH gateway listens on port ${sshPort}`);

    const limits = {
      openTimeout: config.openTimeout,
      serviceTimeout: config.serviceTimeout,
      headTimeout: config.headTimeout,
      idleTimeout: config.idleTimeout,
      maxHeadSize: config.maxHeadSize,
    };
    const onFault = (error: unknown) =>
      log.error({ err: error, code: "internal" }, "A request failed by a fault of petit's own");
    const callers = new Callers(
      { routes, tunnels, deadlines: new Deadlines(), limits, onFault },
      addressList(config.trustedProxies),
    );
    const proxy = createHttpProxy(callers);
    const proxyPort = await listen(proxy, config.proxyHost, config.proxyPort, "[server] proxyPort");
    undo.push(() => (callers.endAll(), stopListening(proxy)));
    log.info({ port: proxyPort }, `HTTP proxy listens on port ${proxyPort}`);

    const { secureProxyHost: host, secureProxyPort: port, certificates: folder } = config;
    const secureProxy = new HttpsProxy({ host, port, folder, callers, log, noise });
    undo.push(() => (callers.endAll(), secureProxy.stop()));
    await secureProxy.start();

    const closed = new Promise<void>((resolve, reject) => {
      const stop = () => close().then(resolve, reject);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    return {
      proxyPort,
      sshPort,
      closed,
      get secureProxyPort() {
        return secureProxy.port;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
