import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { clientMetrics, type MetricsRegistry } from "../observe/metrics.ts";
import { LIGHT_NAMES } from "../tunnel/lights.ts";
import type { Registered } from "../tunnel/messages.ts";
import { askTunnel } from "./ask_tunnel.ts";
import { ClientControl } from "./client_control.ts";
import { DisconnectHistory } from "./disconnect_history.ts";
import { Gate } from "./gate.ts";
import { Inbound } from "./inbound.ts";
import { InboundLog } from "./inbound_log.ts";
import { TunnelKeeper } from "./keep_tunnel.ts";
import { Pause } from "./pause.ts";
import { ownKey } from "./state.ts";
import { ClientEvidence } from "./tenant_lights.ts";
import { isRegistered, readUsableTenants } from "./tenants.ts";

/** A client that is up, connected or trying to. */
export interface RunningClient {
  /** Settles when the first tunnel stands. Never rejects: the client keeps trying. */
  readonly connected: Promise<readonly Registered[]>;
  readonly control: ClientControl;
  /** For Prometheus. */
  readonly metrics: MetricsRegistry;
  /** Takes no new callers any more, since a successor does; settles when the server has heard it. */
  handOver(): Promise<void>;
  /** Takes new callers again after `handOver`: there is no successor after all. */
  resume(): void;
  /** Settles when it has stopped. */
  readonly closed: Promise<void>;
}

/**
 * Starts the on-prem side: keeps a tunnel to the server open until `signal` is aborted. Then it takes no more callers, lets those
 * that are there go on for `drainFor` at most, and ends.
 *
 * @param folder the folder with the key and the tenants
 * @throws PetitError `not-registered`, `key-missing`, `key-unusable`, `log-unwritable`, and as `readTenants` where no tenant can be served
 */
export function startClient(config: ClientConfig, folder: string, log: Log, signal: AbortSignal): RunningClient {
  const { tenants, broken, fingerprint } = checkClient(config, folder);
  const figures = { tunnels: 0, dialFailures: 0 };
  const gate = new Gate(config, new Pause(folder));
  const record = InboundLog.open(config, log);
  const history = new DisconnectHistory(folder, log);
  const evidence = new ClientEvidence();
  const inbound = new Inbound({ config, gate, log, figures, evidence, record }, tenants.filter(isRegistered));
  const keeper = new TunnelKeeper(tenants, {
    config,
    folder,
    log,
    noise: new OnceAMinute(),
    figures,
    history,
    evidence,
    inbound,
    signal,
  });
  askTunnel(() => keeper.tunnel, signal);
  const control = new ClientControl({ config, folder, fingerprint, keeper, evidence, inbound, log, signal }, broken);
  const metrics = clientMetrics({
    connected: () => keeper.tunnel !== undefined,
    reconnects: () => Math.max(0, figures.tunnels - 1),
    disconnects: () => history.counts,
    channelsOpen: () => keeper.tunnel?.callers ?? 0,
    dialFailures: () => figures.dialFailures,
    lights: () =>
      control.tenants().flatMap(({ tenant, lights }) =>
        LIGHT_NAMES.map((light) => ({ tenant, light, green: lights[light].state === "green" }))
      ),
  });
  const handOver = () => keeper.handOver();
  const closed = keeper.closed.finally(async () => {
    history.close();
    await inbound.close();
  });
  return { connected: keeper.connected, closed, control, metrics, handOver, resume: () => keeper.resume() };
}

/** What a client is started with. @throws PetitError as `startClient` */
export function checkClient(config: ClientConfig, folder: string) {
  const { tenants, broken } = readUsableTenants(folder, config.local);
  if (!tenants.some(isRegistered)) {
    if (broken[0] !== undefined) throw broken[0].error;
    throw new PetitError("not-registered", "This client is not registered yet", {
      hint: 'Ask the server\'s operator for a join code and run "petit client register"',
    });
  }
  return { tenants, broken, fingerprint: ownKey(folder).publicKey.fingerprint };
}
