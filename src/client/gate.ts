import type { ClientConfig } from "../config/schema.ts";
import type { Local, OwnRules } from "../config/tenant_config.ts";
import type { ClosedCode } from "../tunnel/messages.ts";
import { type HttpRules, httpRules, isServiceAllowed, serviceAddress } from "./allow_list.ts";
import type { Pause } from "./pause.ts";

/** Why nobody is let in to a tenant, and which service is meant. */
export interface Closed {
  readonly code: ClosedCode;
  /** A sentence. */
  readonly reason: string;
  /** ISO 8601; of a pause. */
  readonly since?: string;
}

/**
 * Who is let in, and to what: what the customer has said in [client.allow] and by the pause switch, and nobody else. It is asked for every
 * connection; nothing that the server says changes it.
 */
export class Gate {
  readonly pause: Pause;
  readonly #config: Pick<ClientConfig, "allow">;

  /** @param config read anew each time */
  constructor(config: Pick<ClientConfig, "allow">, pause: Pause) {
    this.#config = config;
    this.pause = pause;
  }

  /** Why nobody is let in to a tenant; undefined where callers are. */
  closed({ name, local }: { readonly name: string; readonly local: Pick<Local, "host" | "port"> }): Closed | undefined {
    const { pause } = this;
    if (pause.all !== undefined) {
      return { code: "paused", reason: "This client is paused by its administrator", since: pause.all };
    }
    const since = pause.of(name);
    if (since !== undefined) {
      return { code: "paused", reason: "This tenant is paused by the client's administrator", since };
    }
    return isServiceAllowed(this.#config.allow, local) ? undefined : {
      code: "service-not-allowed",
      reason: `The service ${serviceAddress(local)} is not in [client.allow] services`,
    };
  }

  /** What may be asked of a tenant's service; undefined where that is anything, HTTP or not. */
  rules({ allow }: { readonly allow: OwnRules }): HttpRules | undefined {
    return httpRules(this.#config.allow, allow);
  }
}
