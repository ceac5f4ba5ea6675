import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf, systemCode } from "../error.ts";

/** The private service of a tenant. */
export interface Service {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
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

function dialAddress({ host, port, tls }: Service, address: string, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, allowHalfOpen: true, noDelay: true };
    // The certificate is checked against the name, whatever address is behind it.
    const socket = tls ? connectTls({ ...options, ...(isIP(host) ? {} : { servername: host }) }) : connect(options);
    const timer = setTimeout(() => socket.destroy(new Error("ETIMEDOUT")), timeout);
    const onError = (error: Error) => {
      clearTimeout(timer);
      reject(new Error(systemCode(error) ?? messageOf(error), { cause: error }));
    };
    socket.once("error", onError);
    socket.once(tls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}
