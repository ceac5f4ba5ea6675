import type { ServerConfig } from "../config/schema.ts";
import type { Registration } from "../registry/registry.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { sshdAccount } from "./openssh/sshd_account.ts";
import { readSshdHostKeys } from "./openssh/sshd_host_keys.ts";

/** What a person without petit types to expose a service. */
interface PlainSsh {
  readonly ssh: string;
  /** PuTTY's. */
  readonly plink: string;
}

/** Where and as whom one logs in with a key that is registered. */
export interface Login {
  /** Undefined where it is the id of the registration. */
  readonly user: string | undefined;
  readonly port: number;
  /** Fingerprint of the host key that is shown there. */
  readonly hostKey: string;
}

/**
 * To be asked for before a registration is made: where the system's sshd terminates the tunnels, it may be that this cannot be told.
 *
 * @param hostKey fingerprint of the gateway's
 * @throws PetitError as `sshdAccount` and `readSshdHostKeys`
 */
export function loginOf({ ssh }: ServerConfig, hostKey: string): Login {
  if (ssh.mode === "embedded") return { user: undefined, port: ssh.port, hostKey };
  const keys = readSshdHostKeys(ssh.sshdHostKeys);
  const shown = keys.find(({ line }) => line.startsWith("ssh-ed25519 ")) ?? keys[0] as PublicKey;
  return { user: sshdAccount(ssh).name, port: ssh.sshdPort, hostKey: shown.fingerprint };
}

/** A tunnel that is dead, or has no port, ends: whatever starts it again can. PuTTY has no such options for a command line. */
const ENDS_WHEN_DEAD = "-o ServerAliveInterval=15 -o ExitOnForwardFailure=yes";

function plainSshLines(
  host: string,
  { user, port, hostKey }: Login,
  { id, port: reversePort }: Registration,
): PlainSsh {
  const forward = `-R ${reversePort}:localhost:8080`;
  const to = `${user ?? id}@${host}`;
  return {
    ssh: `ssh -N ${forward} ${ENDS_WHEN_DEAD} -p ${port} ${to}`,
    plink: `plink -batch -N ${forward} -P ${port} -hostkey ${hostKey} -i KEY.ppk ${to}`,
  };
}

/** What a person without petit types to register with a join code. */
export function plainSshRegister(host: string, port: number): string {
  return `ssh -p ${port} join@${host} register < ~/.ssh/id_ed25519.pub`;
}

/** A registration that was made for a public key, for programs. */
export interface RegisteredKey {
  readonly registeredId: string;
  readonly registeredPort: number;
  readonly endpoint: string;
  readonly tenant: string;
  readonly brand: string;
  /** Of the client's key. */
  readonly fingerprint: string;
  /** Fingerprint of the host key that is shown where one logs in with it. */
  readonly hostKey: string;
  readonly ssh: string;
  readonly plink: string;
}

/** @param host in place of [server] publicHost */
export function registeredKey(
  config: ServerConfig,
  registration: Registration,
  login: Login,
  host: string = config.publicHost,
): RegisteredKey {
  const { id, port, tenant, brand, fingerprint } = registration;
  return {
    registeredId: id,
    registeredPort: port,
    endpoint: config.vitae.endpoint.replaceAll("REGID", id),
    tenant,
    brand,
    fingerprint,
    hostKey: login.hostKey,
    ...plainSshLines(host, login, registration),
  };
}

/** The same for people. */
export function registeredKeyText(registered: RegisteredKey): string {
  const { registeredId, registeredPort, endpoint, fingerprint, hostKey, ssh, plink } = registered;
  return `Registered    ${registeredId}
Endpoint      ${endpoint}
Reverse port  ${registeredPort}
Key           ${fingerprint}
Host key      ${hostKey}

A service on port 8080 of your machine is exposed by
  ${ssh}
or, with PuTTY, by
  ${plink}
`;
}
