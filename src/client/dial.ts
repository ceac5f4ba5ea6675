import { readFileSync, statSync } from "node:fs";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { messageOf, systemCode } from "../error.ts";
import { KEEP_ALIVE } from "../platform/keep_alive.ts";

/** The private service of a tenant. */
export interface Service {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Whether the certificate is verified against the host name. */
  readonly tlsVerify: boolean;
  /** File with the certificates (PEM) that it may be signed by; "" is those that the world trusts. */
  readonly tlsCa: string;
}

/** Milliseconds for which the address behind a name is used again without asking. */
const REMEMBERED_FOR = 30_000;

/**
 * The addresses under which named services were reached last. "localhost" alone costs a look-up and a refused
 * connection to ::1 for each new connection otherwise.
 */
const reached = new Map<string, { readonly address: string; readonly until: number }>();

/**
 * Connects to a service. The socket is paused and may be half-closed.
 *
 * @param timeout milliseconds
 * @throws Error whose message is short and safe to tell the server: a system code or a sentence
 */
export async function dial(service: Service, timeout: number): Promise<Socket> {
  const name = `${service.host}:${service.port}`;
  const known = reached.get(name);
  if (known !== undefined && known.until > performance.now()) {
    try {
      return await dialAddress(service, known.address, timeout);
    } catch {
      reached.delete(name);
    }
  }
  const socket = await dialAddress(service, service.host, timeout);
  if (isIP(service.host) === 0 && socket.remoteAddress !== undefined) {
    reached.set(name, { address: socket.remoteAddress, until: performance.now() + REMEMBERED_FOR });
  }
  return socket;
}

async function dialAddress(service: Service, address: string, timeout: number): Promise<Socket> {
  const { port, tls } = service;
  const secure = tls ? tlsOptions(service) : {};
  return await new Promise((resolve, reject) => {
    const options = { host: address, port, allowHalfOpen: true, noDelay: true };
    const socket = tls ? connectTls({ ...options, ...secure }) : connect(options);
    const timer = setTimeout(() => socket.destroy(new Error("ETIMEDOUT")), timeout);
    const onError = (error: Error) => {
      clearTimeout(timer);
      reject(new Error(systemCode(error) ?? messageOf(error), { cause: error }));
    };
    socket.once("error", onError);
    socket.once(tls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.setKeepAlive(true, KEEP_ALIVE);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}

/** The certificate is checked against the name, whatever address is behind it. */
function tlsOptions({ host, tlsVerify, tlsCa }: Service): ConnectionOptions {
  return {
    ...(isIP(host) ? {} : { servername: host }),
    rejectUnauthorized: tlsVerify,
    ...(tlsVerify && tlsCa !== "" ? { ca: certificatesIn(tlsCa) } : {}),
  };
}

const read = new Map<string, { readonly changed: number; readonly content: string }>();

/** What is in a file of certificates; one that was replaced is read again. */
function certificatesIn(file: string): string {
  try {
    const changed = statSync(file).mtimeMs;
    const known = read.get(file);
    if (known?.changed === changed) return known.content;
    const content = readFileSync(file, "utf8");
    read.set(file, { changed, content });
    return content;
  } catch (error) {
    throw new Error(`cannot read tlsCa: ${systemCode(error) ?? "no file"}`, { cause: error });
  }
}
