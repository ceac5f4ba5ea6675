import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { version } from "../platform/version.ts";
import { type Check, Warning } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { KnownHost } from "./known_host.ts";
import { isFormerFolder } from "./legacy/legacy_server.ts";
import { serverPorts } from "./legacy/server_ports.ts";

/** The way to the server, step by step. */
export const serverChecks: readonly Check[] = [
  { name: "name", needs: ["config"], run: nameResolves },
  { name: "gateway", needs: ["name"], run: gatewayAnswers },
  { name: "host-key-pinned", needs: ["config"], run: hostKeyIsPinned },
  { name: "ssh", needs: ["gateway", "key", "key-mode"], run: speaksSsh },
  { name: "host-key", needs: ["ssh", "host-key-pinned"], run: hostKeyIsRight },
  { name: "login", needs: ["host-key"], run: loginIsAccepted },
  { name: "server", needs: ["login"], run: serverTells },
];

async function nameResolves({ config: { host } }: CheckContext): Promise<string> {
  if (isIP(host) !== 0) return `${host} is an address`;
  try {
    const addresses = await lookup(host, { all: true });
    return `${host} is ${addresses.map(({ address }) => address).join(", ")}`;
  } catch (error) {
    throw new PetitError("server-name-unknown", `The name "${host}" does not resolve`, {
      hint: "Check the spelling of [client] host, and the name servers of this machine",
      cause: error,
    });
  }
}

const ON_THE_WAY = ["server-name-unknown", "server-refused", "server-unreachable"];

/** The login tells too; a connection that does not log in, which the server's log would name, is made where there is no key only. */
async function gatewayAnswers(context: CheckContext): Promise<string> {
  const { error } = await context.attempt();
  if (error?.code.startsWith("key-")) await connectOnly(context);
  else if (error !== undefined && ON_THE_WAY.includes(error.code)) throw error;
  return `${context.where} accepts connections`;
}

function connectOnly({ config: { host, port, connectTimeout }, where }: CheckContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (code: string, message: string, hint: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new PetitError(code, message, { hint, cause }));
    };
    const FIREWALL = "Check [client] host and port, and that a firewall here lets connections out to that port";
    const socket = connect({ host, port });
    const timer = setTimeout(
      () => refuse("server-unreachable", `${where} did not answer within ${connectTimeout / 1000} s`, FIREWALL),
      connectTimeout,
    );
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.once("error", (error) => {
      if (systemCode(error) === "ECONNREFUSED") {
        const hint = 'Check [client] port, and that "petit server" is running there';
        refuse("server-refused", `Nothing listens on ${where}`, hint, error);
      } else refuse("server-unreachable", `Cannot reach ${where}: ${messageOf(error)}`, FIREWALL, error);
    });
  });
}

function hostKeyIsPinned({ folder, config, where }: CheckContext): string {
  const known = new KnownHost(folder);
  const pinned = serverPorts(config, folder).flatMap((port) => known.of(config.host, port));
  if (pinned.length > 0) return pinned.join(", ");
  if (isFormerFolder(folder)) {
    throw new Warning(
      "host-key-unknown",
      "None yet: a client of petit 0.6 has left this folder, and it looked at none",
      {
        hint: "The first start takes the key of the server that lets this client in, and no other from then on",
      },
    );
  }
  throw new PetitError("host-key-unknown", `No host key is known for ${where}`, {
    hint: "Register with a join code of that server; the code vouches for its key",
  });
}

/** The errors that come before a server has shown its host key. */
async function speaksSsh(context: CheckContext): Promise<string> {
  const { hostKey, error } = await context.attempt();
  if (hostKey !== undefined) return `${context.where} speaks SSH`;
  throw error;
}

async function hostKeyIsRight(context: CheckContext): Promise<string> {
  const { hostKey, error } = await context.attempt();
  if (error?.code.startsWith("host-key-")) throw error;
  return hostKey?.fingerprint ?? "";
}

async function loginIsAccepted(context: CheckContext): Promise<string> {
  const { error } = await context.attempt();
  if (error !== undefined) throw error;
  const { registrations } = await context.handshake();
  return `The server knows this key and ${
    registrations.length === 1 ? "one registration" : `${registrations.length} registrations`
  } of it`;
}

async function serverTells(context: CheckContext): Promise<string> {
  const { vitae } = await context.handshake();
  if (context.legacy) {
    throw new Warning("server-legacy", "petit 0.6, over its plain backchannel: what goes over that is not encrypted", {
      hint: "Once its operator has a newer server, register with a join code of that",
    });
  }
  const told = `petit ${vitae.version}, environment "${vitae.environment}"`;
  if (major(vitae.version) === major(version)) return told;
  throw new Warning("version-differs", `${told}; this is petit ${version}`, {
    hint: "Use the same major version on both sides",
  });
}

function major(text: string): string | undefined {
  return text.split(".")[0];
}
