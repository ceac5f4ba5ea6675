import type { ClientConfig } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { OpenSet } from "../platform/open_set.ts";
import { within } from "../platform/within.ts";
import type { IncomingOpen } from "../tunnel/link.ts";
import { type Carrier, InboundConnection } from "./accept.ts";
import type { ClientFigures } from "./client_figures.ts";
import type { Gate } from "./gate.ts";
import type { InboundFacts, InboundLog } from "./inbound_log.ts";
import { serviceAddress } from "./allow_list.ts";
import type { ClientEvidence } from "./tenant_lights.ts";
import type { RegisteredTenant } from "./tenants.ts";

export interface InboundParts {
  /** Read anew for each connection: a reload changes it. */
  readonly config: Pick<ClientConfig, "connectTimeout">;
  readonly gate: Gate;
  readonly log: Log;
  readonly figures: ClientFigures;
  readonly evidence: ClientEvidence;
  /** Undefined where none is kept. */
  readonly record: InboundLog | undefined;
}

/** All that comes in through the tunnels of this client: let in or not, watched over as long as it lasts, and written down. */
export class Inbound {
  readonly gate: Gate;
  readonly #parts: InboundParts;
  readonly #noise = new OnceAMinute();
  readonly #open = new OpenSet<InboundConnection>();
  #tenants: ReadonlyMap<string, RegisteredTenant>;

  /** @param tenants as they are at first */
  constructor(parts: InboundParts, tenants: readonly RegisteredTenant[]) {
    this.#parts = parts;
    this.gate = parts.gate;
    this.#tenants = byName(tenants);
  }

  /**
   * Lets a connection in to the service of a tenant, if the customer allows it.
   *
   * @param name the tenant's. What counts is how the tenant is now, and not how it was when the server was told of it
   * @param log the tenant's
   * @param onGone told once, when it is over
   */
  accept(forwarded: IncomingOpen, name: string, carrier: Carrier, log: Log, onGone: () => void): void {
    const { gate, config, figures, evidence, record } = this.#parts;
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      this.refuse(forwarded, carrier, "nobody serves this forward");
      return onGone();
    }
    const facts = factsOf(forwarded, tenant, carrier);
    const closed = gate.closed(tenant);
    if (closed !== undefined) {
      forwarded.refuse(closed.reason);
      record?.connection(facts, { ...NOTHING_PASSED, outcome: closed.code, cause: closed.reason });
      this.#tell(log, closed.code, facts, closed.reason);
      return onGone();
    }
    const connection = new InboundConnection(forwarded, tenant, {
      facts,
      carrier,
      rules: gate.rules(tenant),
      timeout: config.connectTimeout,
      log,
      noise: this.#noise,
      figures,
      evidence: evidence.of(tenant.name),
      record,
      onGone: () => {
        this.#open.delete(connection);
        onGone();
      },
    });
    this.#open.add(connection);
    connection.start();
  }

  /** Refuses a connection that is for no tenant that is served. @param reason "" says that it was never asked for */
  refuse(forwarded: IncomingOpen, carrier: Carrier, reason: string): void {
    const facts = factsOf(forwarded, undefined, carrier);
    forwarded.refuse(reason);
    const cause = `asked for ${forwarded.address.slice(0, 80)}:${forwarded.port}`;
    this.#parts.record?.connection(facts, { ...NOTHING_PASSED, outcome: "not-served", cause });
    this.#tell(
      this.#parts.log,
      "not-served",
      facts,
      `The server opened a connection that no tenant is for: it ${cause}`,
    );
  }

  /** Writes down a connection that was answered in place of the service (legacy/intercept.ts). @param name the tenant's */
  answered(forwarded: IncomingOpen, name: string, carrier: Carrier): void {
    const facts = factsOf(forwarded, this.#tenants.get(name), carrier);
    const cause = "answered by the client itself: a petit 0.6 server's probe";
    this.#parts.record?.connection({ ...facts, by: "probe" }, { ...NOTHING_PASSED, outcome: "ok", cause });
  }

  /**
   * Takes up what the customer has changed, and ends what is allowed no longer.
   *
   * @param tenants as they are now; connections of one that is gone go on as it was
   * @param drain leaves those alone that are paused
   * @returns how many callers' connections were ended
   */
  take(tenants: readonly RegisteredTenant[], drain = false): number {
    const { gate } = this.#parts;
    this.#tenants = byName(tenants);
    let ended = 0;
    for (const connection of [...this.#open]) {
      const { tenant } = connection;
      const now = this.#tenants.get(tenant.name) ?? tenant;
      // The service is the one that it was connected to.
      const closed = gate.closed({ name: tenant.name, local: tenant.local });
      const changed = JSON.stringify(gate.rules(now)) !== JSON.stringify(connection.rules);
      if (closed === undefined ? !changed : closed.code === "paused" && drain) continue;
      connection.cut(closed?.code ?? "rules-changed");
      if (connection.by === "caller") ended++;
    }
    return ended;
  }

  /** Writes down what is left, once the tunnels are gone: their connections end with them, a moment later. */
  async close(): Promise<void> {
    await within(ENDS_WITHIN, this.#open.empty());
    await this.#parts.record?.close();
  }

  /** What anyone on the internet can cause is told once a minute. */
  #tell(log: Log, code: string, { address, channel, tenant }: InboundFacts, sentence: string): void {
    this.#noise.tell(
      `${code} ${tenant}`,
      (repeated) => log.warn({ code, address, channel, repeated }, `A connection was refused: ${sentence}`),
    );
  }
}

/** Milliseconds for connections to end whose tunnel is gone. */
const ENDS_WITHIN = 2000;

const byName = (tenants: readonly RegisteredTenant[]) => new Map(tenants.map((tenant) => [tenant.name, tenant]));

const NOTHING_PASSED = { bytesIn: 0, bytesOut: 0, milliseconds: 0 };

function factsOf(forwarded: IncomingOpen, tenant: RegisteredTenant | undefined, carrier: Carrier): InboundFacts {
  return {
    at: Date.now(),
    // No caller's connection comes from port 0.
    by: forwarded.originPort === 0 ? "probe" : "caller",
    tenant: tenant?.name ?? null,
    id: tenant?.registration.id ?? null,
    address: forwarded.originAddress,
    port: forwarded.originPort,
    service: tenant === undefined ? null : serviceAddress(tenant.local),
    tunnel: carrier.id,
    channel: forwarded.number,
  };
}
