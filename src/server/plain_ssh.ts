import type { ServerConfig } from "../config/schema.ts";
import type { Registration } from "../registry/registry.ts";

/** What a person without petit types to expose a service. */
export interface PlainSsh {
  readonly ssh: string;
  /** PuTTY's. */
  readonly plink: string;
}

/** @param host in place of [server] publicHost */
export function plainSshLines(
  { publicHost, ssh: { port } }: Pick<ServerConfig, "publicHost"> & { readonly ssh: { readonly port: number } },
  { id, port: reversePort }: Pick<Registration, "id" | "port">,
  hostKey: string,
  host = publicHost,
): PlainSsh {
  const forward = `-R ${reversePort}:localhost:8080`;
  return {
    ssh: `ssh -N ${forward} -p ${port} ${id}@${host}`,
    plink: `plink -batch -N ${forward} -P ${port} -hostkey ${hostKey} -i KEY.ppk ${id}@${host}`,
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
  /** Fingerprint of the server's host key. */
  readonly hostKey: string;
  readonly ssh: string;
  readonly plink: string;
}

/** @param hostKey fingerprint of the server's */
export function registeredKey(
  config: ServerConfig,
  registration: Registration,
  hostKey: string,
  host?: string,
): RegisteredKey {
  const { id, port, tenant, brand, fingerprint } = registration;
  return {
    registeredId: id,
    registeredPort: port,
    endpoint: config.vitae.endpoint.replaceAll("REGID", id),
    tenant,
    brand,
    fingerprint,
    hostKey,
    ...plainSshLines(config, registration, hostKey, host),
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
