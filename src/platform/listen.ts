import { type AddressInfo, createServer, type ListenOptions, type Server } from "node:net";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { giveUpInherited, listenLater, noteSocket, takeInherited } from "./handed_sockets.ts";

/**
 * Makes `server` listen on `host:port`; "*" is every address. `setting` names the config key, for the message.
 *
 * @param handedOn whether the process that takes this one's place is to have the socket, and this one takes over that of the process before; it accepts nothing then before
 * `acceptInherited`
 * @returns the port, which the system chose where 0 was asked for
 * @throws PetitError `port-in-use`, `port-forbidden` or `address-unusable`
 */
export async function listen(
  server: Server,
  host: string,
  port: number,
  setting: string,
  handedOn = false,
): Promise<number> {
  const name = `${host} ${port} ${setting}`;
  const inherited = handedOn ? takeInherited(name) : undefined;
  if (inherited !== undefined) {
    listenLater(server, inherited, async () => {
      await start(server, { fd: inherited.fd });
      noteSocket(name, server);
    });
    return inherited.port;
  }
  try {
    await start(server, { port, ...(host === "*" ? {} : { host }), backlog: 4096 });
  } catch (error) {
    throw explain(error, `${host === "*" ? "every address" : host}, port ${port}`, port, setting);
  }
  if (handedOn) noteSocket(name, server);
  return (server.address() as AddressInfo).port;
}

function start(server: Server, where: ListenOptions | { fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function explain(error: unknown, where: string, port: number, setting: string): PetitError {
  const code = systemCode(error);
  if (code === "EADDRINUSE") {
    return new PetitError("port-in-use", `Cannot listen on ${where}: another program uses that port`, {
      hint: `Stop that program, or set another port as ${setting}`,
      cause: error,
    });
  }
  if (code === "EACCES") {
    return new PetitError("port-forbidden", `Cannot listen on ${where}: this user may not use that port`, {
      hint: `Set a port above 1023 as ${setting}, or grant the right (CAP_NET_BIND_SERVICE on Linux)`,
      cause: error,
    });
  }
  return new PetitError("address-unusable", `Cannot listen on ${where}: ${messageOf(error)}`, {
    hint: `Check the address beside ${setting}; port ${port} may be fine`,
    cause: error,
  });
}

/** Finds out whether a port can be had. @throws PetitError as `listen` */
export async function tryListening(host: string, port: number, setting: string): Promise<void> {
  const server = createServer();
  await listen(server, host, port, setting);
  await stopListening(server);
}

/** Accepts no more connections, now or later; those that are open stay open. */
export function closeListener(server: Server): void {
  if (!giveUpInherited(server)) server.close();
}

/** Stops listening; connections that are open stay open. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (giveUpInherited(server) || !server.listening) resolve();
    else server.close(() => resolve());
  });
}
