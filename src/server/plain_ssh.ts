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
interface Login {
  readonly user: string;
  readonly port: number;
  /** Fingerprint of the host key that is shown there. */
  readonly hostKey: string;
}

/** @param hostKey fingerprint of the gateway's @throws PetitError as `sshdAccount` and `readSshdHostKeys` */
function loginOf({ ssh }: ServerConfig, id: string, hostKey: string): Login {
  if (ssh.mode === "embedded") return { user: id, port: ssh.port, hostKey };
  const keys = readSshdHostKeys(ssh.sshdHostKeys);
  const shown = keys.find(({ line }) => line.startsWith("ssh-ed25519 ")) ?? keys[0] as PublicKey;
  return { user: sshdAccount(ssh).name, port: ssh.sshdPort, hostKey: shown.fingerprint };
}

/** @param reversePort that of the registration */
function plainSshLines(host: string, { user, port, hostKey }: Login, reversePort: number): PlainSsh {
  const forward = `-R ${reversePort}:localhost:8080`;
  return {
    ssh: `ssh -N ${forward} -p ${port} ${user}@${host}`,
    plink: `plink -batch -N ${forward} -P ${port} -hostkey ${hostKey} -i KEY.ppk ${user}@${host}`,
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

/**
 * @param hostKey fingerprint of the gateway's
 * @param host in place of [server] publicHost
 * @throws PetitError where the system's sshd terminates the tunnels, and it cannot be told how that is reached
 */
export function registeredKey(
  config: ServerConfig,
  registration: Registration,
  hostKey: string,
  host: string = config.publicHost,
): RegisteredKey {
  const { id, port, tenant, brand, fingerprint } = registration;
  const login = loginOf(config, id, hostKey);
  return {
    registeredId: id,
    registeredPort: port,
    endpoint: config.vitae.endpoint.replaceAll("REGID", id),
    tenant,
    brand,
    fingerprint,
    hostKey: login.hostKey,
    ...plainSshLines(host, login, port),
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
