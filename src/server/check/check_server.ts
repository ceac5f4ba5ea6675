import { existsSync, readFileSync } from "node:fs";
import type { ServerConfig } from "../../config/schema.ts";
import { messageOf, PetitError } from "../../error.ts";
import { tryListening } from "../../platform/listen.ts";
import type { ListedRegistration } from "../../registry/listed_registrations.ts";
import { readKeyLine } from "../../tunnel/keys.ts";
import { BACKCHANNEL } from "../../tunnel/messages.ts";
import { readCertificates } from "../certificates.ts";
import { readHostKey } from "../host_key/host_key.ts";
import { sshdAccount } from "../openssh/sshd_account.ts";
import { readSshdHostKeys } from "../openssh/sshd_host_keys.ts";
import { backchannelHost, needsPlainBackchannel } from "../plain_backchannel.ts";
import { type CheckItem, ok } from "./check_item.ts";
import { checkSshd } from "./check_sshd.ts";
import { checkStrictModes } from "./check_strict_modes.ts";
import { readSshdSettings, type SshdSettings } from "./sshd_settings.ts";

/**
 * Checks what a server needs: its keys and certificates, its ports, which are opened for a moment, and in openssh mode the system's sshd.
 * Changes nothing.
 *
 * @param running whether the server runs, and has its ports
 */
export async function checkServer(
  config: ServerConfig,
  registrations: readonly ListedRegistration[],
  running: boolean,
): Promise<CheckItem[]> {
  const items = [attempt("hostKey", () => readHostKey(config.ssh.hostKey).publicKey.fingerprint), certificates(config)];
  if (running) items.push(ok("ports", "The server runs, and has its ports"));
  else for (const [name, host, port] of portsOf(config)) items.push(await bindable(name, host, port));
  if (config.ssh.mode === "openssh") items.push(...await opensshItems(config, registrations));
  return items;
}

/** What is wrong with the system's sshd, and with what petit knows of it. */
export async function opensshItems(
  config: ServerConfig,
  registrations: readonly ListedRegistration[],
): Promise<CheckItem[]> {
  const { ssh, backPort } = config;
  const back = backHost(config);
  try {
    const account = sshdAccount(ssh);
    const sshd = await readSshdSettings(ssh.sshdConfig, account.name, ssh.sshdPort, ssh.hostKey);
    const wanted = {
      ...{ account, backPort, sshdPort: ssh.sshdPort, gatewayPorts: ssh.gatewayPorts },
      ports: registrations.map(({ port }) => port),
      legacy: registrations.filter(({ legacy }) => legacy).length,
    };
    return [
      back,
      asked(sshd, ssh.sshdConfig),
      hostKeys(sshd, ssh.sshdHostKeys, ssh.hostKey),
      ...checkSshd(sshd, wanted),
      checkStrictModes(sshd, account),
    ];
  } catch (error) {
    return [back, failed("sshd", error)];
  }
}

/** Where what sshd connects to under the name of BACKCHANNEL is listened for. */
const REACHED = ["*", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"];

/** Whether clients come to petit through sshd: the lines of their keys permit that name alone. */
function backHost(config: ServerConfig): CheckItem {
  const host = backchannelHost(config);
  if (REACHED.includes(host)) return ok("backHost", `Clients reach petit through sshd, at ${host}`);
  return {
    ...{ name: "backHost", state: "failed" },
    detail:
      `[server] backHost is "${host}", and sshd lets clients through to ${BACKCHANNEL.host} only: none of them gets a tunnel`,
    hint: 'Set it to "*" or "127.0.0.1"; "" is the one with legacyBackchannel, and the other without',
  };
}

function asked({ source, why }: SshdSettings, file: string): CheckItem {
  if (source === "sshd") return ok("sshd", `sshd itself tells what it makes of "${file}"`);
  return {
    ...{ name: "sshd", state: "warning" },
    detail:
      `sshd could not be asked (${why}): what follows is read in "${file}", and Match blocks may have been passed over`,
    hint: "Run the check as root",
  };
}

/** Whether clients are told the keys that sshd shows. @param own the key that sshd was given to be able to tell (sshd_settings.ts) */
function hostKeys(sshd: SshdSettings, pattern: string, own: string): CheckItem {
  const told = readSshdHostKeys(pattern);
  const shown = sshd.of("HostKey").filter((file) => file !== own).map((file) => `${file}.pub`).filter((file) =>
    existsSync(file)
  ).map((file) => readKeyLine(readFileSync(file, "latin1"))?.line);
  if (shown.length > 0 && !told.some(({ line }) => shown.includes(line))) {
    const detail = `Clients are told the host keys in "${pattern}", and sshd has none of them`;
    return { name: "HostKey", state: "failed", detail, hint: "Set [server.ssh] sshdHostKeys to sshd's own" };
  }
  return ok("HostKey", told.map(({ fingerprint }) => fingerprint).join(", "));
}

function certificates({ certificates: folder }: ServerConfig): CheckItem {
  return attempt(
    "certificates",
    () =>
      readCertificates(folder) === undefined
        ? `There are none in "${folder}": HTTPS is not served`
        : `Those in "${folder}" can be used`,
  );
}

function attempt(name: string, work: () => string): CheckItem {
  try {
    return ok(name, work());
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, error: unknown): CheckItem {
  const { hint } = error instanceof PetitError ? error : { hint: undefined };
  return { name, state: "failed", detail: messageOf(error), ...(hint === undefined ? {} : { hint }) };
}

function portsOf(config: ServerConfig): [name: string, host: string, port: number][] {
  const { ssh } = config;
  const ports: [string, string, number][] = [
    ["ssh.port", ssh.listenHost, ssh.port],
    ["proxyPort", config.proxyHost, config.proxyPort],
  ];
  if (hasCertificates(config)) ports.push(["secureProxyPort", config.secureProxyHost, config.secureProxyPort]);
  if (needsPlainBackchannel(config)) ports.push(["backPort", backchannelHost(config), config.backPort]);
  return ports;
}

function hasCertificates({ certificates: folder }: ServerConfig): boolean {
  try {
    return readCertificates(folder) !== undefined;
  } catch {
    // What is wrong with them is an item of its own.
    return false;
  }
}

/** Whether a port can be listened on. */
async function bindable(name: string, host: string, port: number): Promise<CheckItem> {
  try {
    await tryListening(host, port, name === "ssh.port" ? "[server.ssh] port" : `[server] ${name}`);
    return ok(name, `Port ${port} can be listened on`);
  } catch (error) {
    return failed(name, error);
  }
}
