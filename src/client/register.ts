import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import { sshSoftware } from "../platform/version.ts";
import type { JoinCode } from "../tunnel/join_code.ts";
import { blobOf, isSound, type PublicKey, readKeyLine } from "../tunnel/keys.ts";
import { HANDSHAKE_VERSION, JOIN_USER, type Registered, type SshTarget } from "../tunnel/messages.ts";
import { connectSsh } from "../tunnel/ssh_client.ts";
import { openBackchannel } from "./backchannel.ts";
import { KnownHost, type KnownServer } from "./known_host.ts";
import { forgetLegacyServer, mayBePlain } from "./legacy/legacy_server.ts";
import { registerLegacy } from "./legacy/register_legacy.ts";
import { seeServer } from "./legacy/see_server.ts";
import { clientKey, readPreferred, readRegistration, writeRegistration } from "./state.ts";
import { tenantNames } from "./tenants.ts";
import { clientVitae } from "./vitae.ts";

const ASK_FOR_ANOTHER = "Ask the server's operator for a new join code";

export interface RegisterOptions {
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  readonly tenant: string;
  /** Undefined where the server takes anyone and its host key is pinned already. */
  readonly joinCode: JoinCode | undefined;
  /** In place of a join code: the host key that the SSH server of a 0.6.x server has to show. */
  readonly vouched?: PublicKey | undefined;
  readonly signal: AbortSignal;
  /** Called when the server has registered the tenant, before the registration is kept: with it everything is there. */
  beforeKept?(target?: ConnectTo): void;
}

/**
 * Registers a tenant with the server that the join code names, and keeps what the server gives: id, port, endpoint,
 * and its host key, which no connection may differ from later.
 *
 * @throws PetitError; nothing has been kept then but the client's key
 */
export async function register(options: RegisterOptions): Promise<Registered> {
  const { config, folder, tenant, joinCode, signal } = options;
  const { host, port } = joinCode ?? config;
  const known = new KnownHost(folder);
  if (joinCode === undefined && (options.vouched !== undefined || mayBePlain(folder, host))) {
    const seen = await seeServer(config, config.connectTimeout, signal);
    if (!seen.petit) {
      refuseOtherKey(host, port, seen.hostKey, options.vouched, known);
      return await registerLegacy({ ...options, hostKey: seen.hostKey });
    }
  }
  let hostKey: PublicKey | undefined;
  const connection = await connectSsh({
    host,
    port,
    user: JOIN_USER,
    privateKey: clientKey(folder).privatePem,
    ...(joinCode === undefined ? {} : { password: joinCode.secret }),
    software: sshSoftware,
    verifyHost(key) {
      if (joinCode === undefined) known.check(host, port, key);
      else if (key.fingerprint !== joinCode.hostKeyFingerprint) throw mismatch(host, port, key, joinCode);
      hostKey = key;
    },
    timeout: config.connectTimeout,
    alive: { interval: config.serverAliveInterval, countMax: config.serverAliveCountMax },
    rekey: config,
    signal,
  }).catch((error) => {
    throw error instanceof PetitError && error.code === "login-refused" ? refused(host, port, joinCode, error) : error;
  });
  try {
    const backchannel = await openBackchannel(connection, { config, folder, holds: false });
    const registered = await backchannel.ask({
      type: "register1",
      handshakeVersion: HANDSHAKE_VERSION,
      preferred: readPreferred(folder, tenant) ?? null,
      tenant,
      vitae: clientVitae(config),
    }, "didRegister1").catch((error) => {
      throw error instanceof PetitError && error.code.startsWith("join-code-")
        ? new PetitError(error.code, error.message, { hint: ASK_FOR_ANOTHER, cause: error })
        : error;
    });
    const target = targetOf(registered.ssh, host, port, config);
    const isNew = joinCode !== undefined || target.others.length > 0;
    if (isNew) known.add(host, port, hostKey as PublicKey, target.others);
    options.beforeKept?.(target);
    if (joinCode !== undefined) {
      forgetLegacyServer(folder, host);
      known.pin(host, port, hostKey as PublicKey, target.others);
    }
    writeRegistration(folder, tenant, registered);
    return registered;
  } finally {
    connection.end();
  }
}

/** Where a client connects from its registration on. */
export interface ConnectTo {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly backPort: number;
  /** The host keys of another SSH server than the one that it has registered with. */
  readonly others: readonly KnownServer[];
}

/** @throws PetitError `message-invalid` where the server names what cannot be */
function targetOf(ssh: SshTarget | undefined, host: string, port: number, config: ClientConfig): ConnectTo {
  const { username, backPort } = config;
  if (ssh === undefined) return { host, port, username, backPort, others: [] };
  const keys = ssh.hostKeys.map((line) => {
    const key = readKeyLine(line);
    if (key?.line === line && isSound(blobOf(key))) return key;
    throw new PetitError("message-invalid", "The server names a host key of its sshd that is none");
  });
  if (!/^[\w.@-]+\$?$/.test(ssh.username)) {
    throw new PetitError("message-invalid", "The server names a user of its sshd that cannot be");
  }
  const to = { host, port: ssh.port };
  return { ...to, username: ssh.username, backPort: ssh.backPort ?? backPort, others: [{ ...to, keys }] };
}

/**
 * All tenants of a client share one tunnel, to one server.
 *
 * @param tenant the one that is to be registered
 * @throws PetitError `other-server` where another tenant is registered and the join code is another server's
 */
export function refuseOtherServer(folder: string, tenant: string, joinCode: JoinCode): void {
  const other = tenantNames(folder).find((name) => name !== tenant && readRegistration(folder, name) !== undefined);
  if (other === undefined || new KnownHost(folder).knows(joinCode.hostKeyFingerprint)) return;
  throw new PetitError(
    "other-server",
    `The join code is for ${joinCode.host}:${joinCode.port}, but tenant "${other}" is registered with another server`,
    { hint: "A client has one server: unregister its tenants there first, or set up another client with --config" },
  );
}

/** @throws PetitError `host-key-mismatch`, or as `KnownHost.check` */
function refuseOtherKey(host: string, port: number, key: PublicKey, vouched: PublicKey | undefined, known: KnownHost) {
  if (vouched === undefined) return known.check(host, port, key);
  if (vouched.line === key.line) return;
  throw new PetitError(
    "host-key-mismatch",
    `${host}:${port} shows the host key ${key.fingerprint} now, and not ${vouched.fingerprint}`,
    { hint: "Someone may be impersonating the server, or several servers answer there" },
  );
}

function mismatch(host: string, port: number, key: PublicKey, joinCode: JoinCode): PetitError {
  return new PetitError(
    "host-key-mismatch",
    `${host}:${port} shows the host key ${key.fingerprint}, but the join code was made by a server with ${joinCode.hostKeyFingerprint}`,
    {
      hint:
        "Either the server's key was replaced after the code was made, or something else answers at that address: ask the server's operator for a new join code",
    },
  );
}

function refused(host: string, port: number, joinCode: JoinCode | undefined, cause: unknown): PetitError {
  if (joinCode === undefined) {
    return new PetitError(
      "join-code-needed",
      `The server ${host}:${port} does not register clients without a join code`,
      {
        hint: 'Ask the server\'s operator for a join code and run "petit client register"',
        cause,
      },
    );
  }
  return new PetitError(
    "join-code-unknown",
    `The server ${host}:${port} does not know this join code, or registers nobody at the moment`,
    {
      hint: ASK_FOR_ANOTHER,
      cause,
    },
  );
}
