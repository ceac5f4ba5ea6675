import type { ClientConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import { HANDSHAKE_VERSION } from "../tunnel/messages.ts";
import { openBackchannel } from "./backchannel.ts";
import { connectWithKey } from "./connect.ts";
import { mayBePlain } from "./legacy/legacy_server.ts";
import { forgetRegistration, readRegistration } from "./state.ts";
import type { Tunnel } from "./tunnel.ts";

export interface UnregisterOptions {
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  /** Has to be there. */
  readonly tenant: string;
  /** Forget the registration here also where the server cannot be told. */
  readonly force?: boolean;
  /** The tunnel that stands, if there is one; a connection of its own is made otherwise. */
  readonly tunnel?: Tunnel | undefined;
  readonly signal: AbortSignal;
}

/** A registration that is no more. */
export interface Unregistered {
  readonly tenant: string;
  readonly id: string;
  readonly port: number;
  /** "unregistered", "unknown" where the server did not know it any more, "not told" where it was forgotten here only. */
  readonly server: "unregistered" | "unknown" | "not told";
}

/**
 * Takes the registration of a tenant away: at the server first, then here. Id and port stay the key's; who registers again
 * asks for them.
 *
 * @throws PetitError `not-registered`, or why the server could not be told; nothing has been changed here then
 */
export async function unregister(options: UnregisterOptions): Promise<Unregistered> {
  const { folder, tenant, force = false } = options;
  const registration = readRegistration(folder, tenant);
  if (registration === undefined) throw new PetitError("not-registered", `Tenant "${tenant}" is not registered`);
  const server = await atServer(registration.id, options).catch((error) => {
    if (force) return "not told" as const;
    const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
    const help = hint === undefined ? "" : `${hint}. `;
    throw new PetitError(code, `Cannot unregister ${registration.id}, nothing was changed: ${messageOf(error)}`, {
      hint: `${help}With --force it is forgotten here, and stays at the server`,
      cause: error,
    });
  });
  forgetRegistration(folder, tenant, registration);
  return { tenant, id: registration.id, port: registration.port, server };
}

async function atServer(id: string, options: UnregisterOptions): Promise<"unregistered" | "unknown"> {
  try {
    if (options.tunnel !== undefined) await options.tunnel.unregister(id);
    else await onOwnConnection(id, options);
    return "unregistered";
  } catch (error) {
    // Its last answer got lost, or an operator was faster.
    if (error instanceof PetitError && isUnknownThere(error, options)) return "unknown";
    throw error;
  }
}

/** A petit server whose host key was checked and that does not know the key knows none of its registrations either. */
function isUnknownThere({ code }: PetitError, { config: { host, username }, folder }: UnregisterOptions): boolean {
  return code === "registration-unknown" ||
    (code === "login-refused" && !/^\d+$/.test(username) && !mayBePlain(folder, host));
}

async function onOwnConnection(id: string, { config, folder, signal }: UnregisterOptions): Promise<void> {
  const connection = await connectWithKey(config, folder, { signal });
  try {
    const backchannel = await openBackchannel(connection, { config, folder, holds: false });
    await backchannel.ask(
      { type: "unregister1", handshakeVersion: HANDSHAKE_VERSION, registeredId: id },
      "didUnregister1",
    );
  } finally {
    connection.end();
  }
}
