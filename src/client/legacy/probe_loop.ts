import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { ClientConfig } from "../../config/schema.ts";
import { messageOf, PetitError, systemCode } from "../../error.ts";
import { INTERCEPT_PATH } from "../../tunnel/legacy_messages.ts";
import type { ServerMessage } from "../../tunnel/messages.ts";
import { dial } from "../dial.ts";
import { readUsableTenants } from "../tenants.ts";
import { addressToAsk } from "./address_to_ask.ts";
import { legacyEndpoint } from "./legacy_endpoint.ts";

export interface LoopToProbe {
  readonly config: ClientConfig;
  readonly folder: string;
  /** Of the registration. */
  readonly id: string;
  /** The server's endpoint, with REGID for the id; undefined where it tells none. */
  readonly template: string | undefined;
  readonly signal: AbortSignal;
}

/** Milliseconds for the way through the server. */
const TIMEOUT = 10_000;

/** Bytes of an answer that are looked at; this client's own has 17. */
const MOST = 1024;

type Probed = ServerMessage & { type: "didProbe1" };

/**
 * Takes the way of a caller, since a server of 0.6.x does not: asks the own endpoint for what this client answers by itself (intercept.ts), which proves
 * everything up to here, and then reaches the service. Where the endpoint cannot be reached from here, callers may reach it all the same: that is told, and
 * is no failure.
 */
export async function probeLoop({ config, folder, id, template, signal }: LoopToProbe): Promise<Probed> {
  const begun = performance.now();
  const probed = (reached: boolean, code?: string, error?: string): Probed => ({
    type: "didProbe1",
    reached,
    milliseconds: performance.now() - begun,
    ...(code === undefined ? {} : { code, error: error?.slice(0, 1024) }),
  });
  const endpoint = legacyEndpoint(template, id, "", 0);
  const loop = await throughServer(endpoint, config.host, signal);
  if (loop === "broken") {
    return probed(false, "loop-broken", `The server answers at ${endpoint}, but what is asked there does not get here`);
  }
  const tenant = readUsableTenants(folder, config.local).tenants.find(({ registration }) => registration?.id === id);
  if (tenant === undefined) return probed(false, "registration-unknown", `This client has no registration "${id}"`);
  try {
    (await dial(tenant.local, config.connectTimeout)).destroy();
  } catch (error) {
    return probed(false, "service-refused", messageOf(error));
  }
  if (loop === "whole") return probed(true);
  return probed(
    true,
    "loop-unknown",
    `The service was reached from here; whether callers get as far is not known: ${loop.unknown}`,
  );
}

/** "whole" where this client itself has answered, "broken" where something else has. */
async function throughServer(
  endpoint: string,
  host: string,
  signal: AbortSignal,
): Promise<"whole" | "broken" | { readonly unknown: string }> {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    return { unknown: "the server tells no endpoint that could be asked from here" };
  }
  const url = new URL(INTERCEPT_PATH, endpoint);
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
  try {
    const address = await addressToAsk(url.hostname, host);
    return await new Promise((resolve, reject) => {
      const asked = request({
        host: address,
        port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : url.port,
        path: url.pathname,
        servername: url.hostname,
        headers: { host: url.host, connection: "close" },
        agent: false,
        signal: limit,
      }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece: string) => {
          text += piece;
          if (text.length > MOST) answer.destroy();
        });
        answer.on("error", () => resolve("broken"));
        answer.on("close", () => resolve(answer.statusCode === 200 && isSuccess(text) ? "whole" : "broken"));
      });
      asked.on("error", reject);
      asked.end();
    });
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted
      ? `no answer within ${TIMEOUT / 1000} s`
      : error instanceof PetitError
      ? error.message
      : systemCode(error) ?? messageOf(error);
    return { unknown: `${url.origin} cannot be asked from here: ${why}` };
  }
}

function isSuccess(text: string): boolean {
  try {
    return (JSON.parse(text) as { success?: unknown } | null)?.success === true;
  } catch {
    return false;
  }
}
