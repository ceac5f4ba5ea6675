import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type AuditLog } from "../audit/audit_log.ts";
import { NO_AUDIT } from "../audit/audit_event.ts";
import { auditBy, openAudit } from "../audit/open_audit.ts";
import type { ServerConfig } from "../config/schema.ts";
import { messageOf } from "../error.ts";
import { within } from "../platform/within.ts";
import { openAccessLog } from "../observe/access_log.ts";
import { ExchangeCounters } from "../observe/exchange_counters.ts";
import { ExchangeObservers } from "../observe/exchange_observers.ts";
import { FailureLog } from "../observe/failure_log.ts";
import type { Log } from "../observe/log.ts";
import { type MetricsRegistry, serverMetrics } from "../observe/metrics.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { listen, stopListening } from "../platform/listen.ts";
import { OpenFiles } from "../platform/open_files.ts";
import { version } from "../platform/version.ts";
import { auditedRegistry } from "../registry/audited_registry.ts";
import { openRegistry, registryFile } from "../registry/open_registry.ts";
import type { Registration } from "../registry/registry.ts";
import { openUsage } from "../usage/open_usage.ts";
import type { UsageRecord } from "../usage/usage_record.ts";
import { CAUSES } from "../tunnel/disconnect_cause.ts";
import { settingsDigest } from "./audited_settings.ts";
import { AccessRules } from "./access/access_rules.ts";
import { CallerPlaces } from "./caller_places.ts";
import { checkHostKeys } from "../tunnel/offer.ts";
import { Deadlines } from "./deadlines.ts";
import { Disconnects } from "./disconnects.ts";
import { addressList } from "./forwarded_fields.ts";
import { FairTurns } from "./fair_turns.ts";
import { Gateway } from "./gateway.ts";
import { Hold } from "./hold.ts";
import { readHostKey } from "./host_key/host_key.ts";
import { HostKeys } from "./host_key/host_keys.ts";
import { Callers, createHttpProxy } from "./http_proxy.ts";
import { HttpsProxy } from "./https_proxy.ts";
import { KnownSources } from "./login/known_sources.ts";
import { LoginGuard } from "./login/login_guard.ts";
import { LoginReports } from "./login/login_reports.ts";
import { LegacyClients } from "./legacy/legacy_clients.ts";
import { LegacyRegistrar } from "./legacy/legacy_registrar.ts";
import { LegacySession } from "./legacy/legacy_session.ts";
import { OldClients } from "./legacy/old_clients.ts";
import { keyedClients } from "./host_key/keyed_clients.ts";
import { metricsSources } from "./metrics_sources.ts";
import { NewRegistrations } from "./new_registrations.ts";
import { needsPlainBackchannel, PlainBackchannel } from "./plain_backchannel.ts";
import { ReversePorts } from "./ports.ts";
import { OpensshMode } from "./openssh/openssh_mode.ts";
import { Prober } from "./probe/prober.ts";
import { Registrar } from "./registrar.ts";
import { Routes } from "./routes.ts";
import { ServerControl } from "./server_control.ts";
import { Tunnels } from "./tunnels.ts";

/** Milliseconds for the last callers to be gone. */
const LAST_REPORTS = 1000;

/** Milliseconds for which a restart waits for those who are held. */
const SETTLED_WITHIN = 5000;

/** Milliseconds for a client to connect to a successor once it has set about it. */
const MOVED_WITHIN = 2000;

/** Milliseconds for which clients of 0.6.x go on here: they come back 2 s after that, and whoever comes to the successor waits for them. */
const LEGACY_STAYS = 1000;

/** A server that is up. */
export interface RunningServer {
  readonly proxyPort: number;
  /** Undefined while there are no certificates. */
  readonly secureProxyPort: number | undefined;
  readonly sshPort: number;
  /** Of the plain backchannel; undefined where it is closed. */
  readonly backPort: number | undefined;
  readonly control: ServerControl;
  /** Undefined where none is kept. */
  readonly usage: UsageRecord | undefined;
  /** Undefined where none is kept. */
  readonly audit: AuditLog | undefined;
  /** For Prometheus. */
  readonly metrics: MetricsRegistry;
  /**
   * Takes no new callers and clients any more, since a successor on the same sockets is about to. Those that are there go on; clients are told
   * to connect to the successor, and carry what is in progress here until the signal is aborted and it is over.
   */
  handOver(): void;
  /** Settles when nobody waits here any more for a client that is away, and would come back to a successor; or 5 s later. */
  settled(): Promise<unknown>;
  /** Settles when everything has been closed. */
  readonly closed: Promise<void>;
}

/**
 * Starts the public side: registry, SSH gateway with registrar, reverse ports, HTTP and HTTPS proxy. Resolves when
 * everything listens. When `signal` is aborted it takes no more work, lets what is in progress
 * go on for `drainFor` at most, and ends.
 *
 * @throws PetitError where something cannot be opened; nothing is left running then
 */
export async function startServer(config: ServerConfig, log: Log, signal: AbortSignal): Promise<RunningServer> {
  const undo: (() => unknown)[] = [];
  /** Settles when the clients are to be with a successor; undefined where there is none. */
  let moving: Promise<unknown> | undefined;
  const close = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    // Before anything is made: without it there is no server.
    readHostKey(config.ssh.hostKey);
    const auditLog = openAudit(config, log);
    undo.push(() => auditLog?.close());
    const audit = auditLog ?? NO_AUDIT;
    const registry = openRegistry(config.registryUrl, {
      onFinding: ({ code, message }) => log.error({ code }, message),
    });
    undo.push(() => registry.close());
    const noise = new OnceAMinute();
    const routes = new Routes(
      registry,
      (error) =>
        noise.tell("registry", () => log.error({ err: error }, `Cannot read the registry: ${messageOf(error)}`)),
    );
    undo.push(() => routes.close());
    const access = new AccessRules({ store: registry.access, config });
    undo.push(() => access.close());
    access.onRefused = ({ id, code, address, kind }) =>
      audit.recordOften("caller-refused", `${id} ${code} ${address}`, { id, code, address, kind });
    routes.onRefreshed = () => access.refresh();
    const tunnels = new Tunnels();
    const clients = () => keyedClients(routes, tunnels);
    const operator = auditBy(audit, "operator");
    const changed = auditedRegistry(registry, operator);
    const hostKeys = new HostKeys({
      file: config.ssh.hostKey,
      registry: changed,
      log,
      audit: operator,
      check: (privatePem) => checkHostKeys([privatePem], config.ssh),
      clients,
    });
    undo.push(() => hostKeys.close());
    const onFault = (error: unknown) =>
      log.error({ err: error, code: "internal" }, "A request failed by a fault of petit's own");
    const usage = openUsage(config, log);
    undo.push(() => usage?.close());
    const accessLog = openAccessLog(config, log);
    undo.push(() => accessLog?.close());
    const exchanges = new ExchangeCounters();
    const observers = [
      new FailureLog(log, noise),
      exchanges,
      ...(usage ? [usage] : []),
      ...(accessLog ? [accessLog] : []),
    ];
    const observer = new ExchangeObservers(observers, onFault);
    const hold = new Hold(tunnels, config);
    undo.push(() => hold.close());
    const files = new OpenFiles();
    const places = new CallerPlaces({
      limits: config,
      trusted: addressList(config.trustedProxies),
      files,
      log,
      noise,
    });
    const ports = new ReversePorts({ tunnels, hold, access, config, log, observer, places });
    files.count(() => ports.size);
    // Those who are cut off are told of before what records them is closed.
    undo.push(() => (ports.closeAll(), within(LAST_REPORTS, ports.drained())));
    const stateFolder = dirname(registryFile(config.registryUrl));
    const disconnects = new Disconnects({ path: join(stateFolder, "disconnects.db"), log });
    undo.push(() => disconnects.close());
    const onRegistered = ({ id, brand }: Registration) => usage?.registered(id, brand);
    const prober = new Prober({ tunnels, config });
    const registrations = new NewRegistrations({ config, registry, routes, audit, log, onRegistered });
    const registrar = new Registrar({
      config,
      registry,
      registrations,
      routes,
      tunnels,
      disconnects,
      prober,
      audit,
      log,
      noise,
      onHostKeys: (fingerprint, pinned) => hostKeys.told(fingerprint, pinned),
      ...(config.ssh.mode === "openssh" ? { sshTarget: () => (openssh as OpensshMode).target } : {}),
    });
    const openssh: OpensshMode | undefined = config.ssh.mode === "openssh"
      ? new OpensshMode({
        config,
        routes,
        access,
        tunnels,
        disconnects,
        hold,
        audit,
        log,
        noise,
        registrar: () => registrar,
      })
      : undefined;
    const logins = new LoginReports(log, noise, audit);
    const guard = new LoginGuard(config.ssh, files, (throttled) => logins.throttled(throttled));
    const knownSources = new KnownSources({ guard, file: join(stateFolder, "known_sources"), log, noise });
    undo.push(() => knownSources.close());

    const oldClients = new OldClients({ registrations: () => routes.all, log });
    oldClients.start();
    undo.push(() => oldClients.stop());
    const legacyClients = new LegacyClients({ tunnels, log, noise });
    const legacy = {
      ...{ config, registry, routes, audit, log, noise },
      clients: legacyClients,
      registrar: new LegacyRegistrar({ config, routes, registrations }),
      onClient: () => oldClients.look(),
      releasePorts: async (held: readonly Registration[], leaves: boolean) => await openssh?.releasePorts(held, leaves),
    };
    const plain = needsPlainBackchannel(config)
      ? new PlainBackchannel({
        ...{ config, guard, files, log, noise },
        legacy: (peer) => new LegacySession(legacy, peer),
        ...(openssh === undefined ? {} : { prove: (peer) => openssh.prove(peer) }),
      })
      : undefined;
    // After the tunnels have ended, with the reason.
    undo.push(() => plain?.stop());
    const gateway = new Gateway(
      {
        config,
        registry,
        routes,
        tunnels,
        ports,
        registrar,
        disconnects,
        hold,
        hostKeys,
        guard,
        files,
        logins,
        audit,
        log,
        noise,
        status: async (id, look) => {
          if (look) await control.look(id);
          return control.statusOf(id);
        },
      },
    );
    routes.onRemoved = (registration) => {
      const { id, fingerprint } = registration;
      openssh?.drop(registration);
      gateway.drop(id);
      ports.close(id);
      hold.forget(id);
      tunnels.forget(id);
      disconnects.forget(fingerprint, id);
    };
    prober.start();
    undo.push(() => prober.stop());
    const sshPort = await listen(gateway.listener, config.ssh.listenHost, config.ssh.port, "[server.ssh] port", true);
    undo.push(
      () => (gateway.end(moving ? CAUSES.serverRestarted : CAUSES.serverStopped), stopListening(gateway.listener)),
    );
    log.info(
      { port: sshPort, hostKey: hostKeys.current.publicKey.fingerprint },
      `SSH gateway listens on port ${sshPort}`,
    );

    if (openssh === undefined) await ports.reopen(routes.all);
    else {
      // First: where it cannot look for tunnels, it keeps keys already.
      undo.push(() => openssh.stop());
      openssh.start();
      routes.onChanged = () => openssh.follow();
    }
    const callers = new Callers(
      {
        routes,
        access,
        tunnels,
        hold,
        deadlines: new Deadlines(),
        turns: new FairTurns(onFault),
        limits: config,
        observer,
        onFault,
      },
      places,
    );
    access.onChanged = () => {
      callers.recheck();
      ports.recheck();
    };
    const proxy = createHttpProxy(callers);
    const proxyPort = await listen(proxy, config.proxyHost, config.proxyPort, "[server] proxyPort", true);
    undo.push(() => (callers.endAll(), stopListening(proxy)));
    log.info({ port: proxyPort }, `HTTP proxy listens on port ${proxyPort}`);

    const { secureProxyHost: host, secureProxyPort: port, certificates: folder, access: { clientCa } } = config;
    const secureProxy = new HttpsProxy({ host, port, folder, clientCa, callers, log, noise });
    undo.push(() => (callers.endAll(), secureProxy.stop()));
    await secureProxy.start();

    // Last: whoever has shaken hands there goes to the gateway at once.
    const backPort = await plain?.listen();

    const refuseNew = () => {
      plain?.refuseNew();
      prober.stop();
      gateway.listener.close();
      proxy.close();
      secureProxy.refuseNew();
      ports.stopListening();
    };
    const settled = () => within(Math.min(config.holdFor, SETTLED_WITHIN), hold.empty());
    const handOver = () => {
      refuseNew();
      openssh?.leave();
      const spread = gateway.dismiss(true);
      callers.leave();
      // Callers' idle connections are served once more here, and by then a client of 0.6.x has to be here still.
      const legacy = within(LEGACY_STAYS, callers.left()).then(() => legacyClients.leave(LEGACY_STAYS));
      moving = Promise.all([sleep(spread + MOVED_WITHIN), legacy]);
    };
    const drain = async () => {
      refuseNew();
      hold.close();
      if (moving === undefined) gateway.dismiss(false);
      const over = [moving === undefined ? callers.drain() : callers.left(), ports.drained(), moving];
      await within(config.drainFor, Promise.all(over));
    };
    const closed = new Promise<void>((resolve, reject) => {
      const stop = () => drain().finally(close).then(resolve, reject);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    const control = new ServerControl({
      config,
      registry: changed,
      registrations,
      audit: operator,
      routes,
      access,
      tunnels,
      callers,
      hold,
      disconnects,
      hostKeys,
      prober,
      log,
      signal,
      ports: () => ({ proxy: proxyPort, secureProxy: secureProxy.port ?? null, ssh: sshPort }),
    });
    const { fingerprint } = hostKeys.current.publicKey;
    audit.record("server-started", {
      version,
      settings: settingsDigest(config),
      ssh: sshPort,
      proxy: proxyPort,
      hostKey: fingerprint,
    });
    undo.push(() => audit.record("server-stopped", { version }));
    return {
      proxyPort,
      sshPort,
      backPort,
      control,
      usage,
      audit: auditLog,
      metrics: serverMetrics(
        metricsSources({ config, exchanges, routes, tunnels, hold, disconnects, logins, guard, places, usage }),
      ),
      closed,
      handOver,
      settled,
      get secureProxyPort() {
        return secureProxy.port;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
