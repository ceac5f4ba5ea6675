import type { ClientConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import type { Registered } from "../tunnel/messages.ts";
import { connectOnce } from "./connect.ts";
import { retryForEver } from "./retry.ts";
import { readTenants } from "./state.ts";

/** Milliseconds before the second attempt to connect. */
const FIRST_DELAY = 1000;

/** A tunnel that stood this many milliseconds is built again at once when it ends. */
const LIVED_AFTER = 10_000;

/** A client that is up, connected or trying to. */
export interface RunningClient {
  /** Settles when the first tunnel stands. Never rejects: the client keeps trying. */
  readonly connected: Promise<readonly Registered[]>;
  /** Settles when it has stopped. */
  readonly closed: Promise<void>;
}

/**
 * Starts the on-prem side: keeps a tunnel to the server open until `signal` is aborted.
 *
 * @param folder the folder with the key and the tenants
 * @throws PetitError `not-registered`
 */
export function startClient(config: ClientConfig, folder: string, log: Log, signal: AbortSignal): RunningClient {
  const tenants = readTenants(folder);
  if (tenants.length === 0) {
    throw new PetitError("not-registered", "This client is not registered yet", {
      hint: 'Ask the server\'s operator for a join code and run "petit client register CODE"',
    });
  }
  const where = `${config.host}:${config.port}`;
  const noise = new OnceAMinute();
  let onFirst!: (registrations: readonly Registered[]) => void;
  const connected = new Promise<readonly Registered[]>((resolve) => onFirst = resolve);
  const closed = retryForEver(async () => {
    const reason = await connectOnce({
      config,
      folder,
      tenants,
      log,
      noise,
      signal,
      onConnected(registrations) {
        for (const { registeredId, registeredPort, endpoint } of registrations) {
          log.info(
            { id: registeredId, port: registeredPort, endpoint },
            `Connected to ${where}: ${endpoint} reaches ${config.local.host}:${config.local.port}`,
          );
        }
        onFirst(registrations);
      },
    });
    if (!signal.aborted) log.warn(`The tunnel to ${where} ended: ${reason}`);
  }, {
    delay: Math.min(FIRST_DELAY, config.reconnectDelayMax),
    delayMax: config.reconnectDelayMax,
    livedAfter: LIVED_AFTER,
    signal,
    onWait(error, milliseconds) {
      const next = milliseconds === 0
        ? "trying again at once"
        : `trying again in ${(milliseconds / 1000).toFixed(1)} s`;
      if (error === undefined) log.info(`Reconnecting to ${where}: ${next}`);
      else {
        const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
        log.warn({ code, ...(hint === undefined ? {} : { hint }) }, `${messageOf(error)}; ${next}`);
      }
    },
  });
  return { connected, closed };
}
