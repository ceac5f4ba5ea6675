import type { Socket } from "node:net";
import type { CredentialWishes } from "../../src/server/access/make_credential.ts";
import type { TestServer } from "./world.ts";

/** Makes a credential; resolves to its id, the secret, and the value of the field that shows it. */
export async function grant(
  server: TestServer,
  registration: string | null,
  wishes: Partial<CredentialWishes> = {},
): Promise<{ id: string; secret: string; shown: string }> {
  const { kind = "bearer", user = "" } = wishes;
  const asked = { registration, kind, user, password: undefined, label: "", lifetime: null, ...wishes };
  const { credential, secret } = await server.running.control.access.grant(asked);
  return { id: credential.id, secret, shown: kind === "bearer" ? `Bearer ${secret}` : basic(user, secret) };
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** A service that answers each request with its own head. */
export function echoHead(socket: Socket): void {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const head = text.slice(0, end + 4);
      text = text.slice(end + 4);
      const body = head.startsWith("HEAD ") ? "" : head;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${head.length}\r\n\r\n${body}`, "latin1");
    }
  });
}
