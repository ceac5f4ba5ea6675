import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { messageOf, systemCode } from "../error.ts";

/** The private service of a tenant. */
export interface Service {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/**
 * Connects to a service. The socket is paused and may be half-closed.
 *
 * @param timeout milliseconds
 * @throws Error whose message is short and safe to tell the server: a system code or a sentence
 */
export function dial({ host, port, tls }: Service, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { host, port, allowHalfOpen: true, noDelay: true };
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
