import { publicEncrypt, randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { encodeMessage, MessageDecoder } from "../../../../src/tunnel/message_stream.ts";
import { listenOn, type Scope } from "../../../world/world.ts";
import { RSA } from "./legacy_folder.ts";

/** What a backchannel of 0.6.x answers to a message: an object, text as it goes over the wire, or nothing. */
export type Answers = (message: Record<string, unknown>, socket: Socket) => object | string | undefined;

/** The plain backchannel of a server of 0.6.x, as far as one test needs it; what it was asked. */
export async function startBackchannel(
  scope: Scope,
  answers: Answers,
): Promise<{ port: number; asked: Record<string, unknown>[]; sockets: Set<Socket> }> {
  const asked: Record<string, unknown>[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const decoder = new MessageDecoder();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      for (const message of decoder.take(bytes) as Record<string, unknown>[]) {
        asked.push(message);
        const answer = answers(message, socket);
        if (answer !== undefined) socket.write(typeof answer === "string" ? answer : encodeMessage(answer));
      }
    });
  });
  const port = await listenOn(server);
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, asked, sockets };
}

/** The answers of a 0.6.34 server that has these registrations, for the key of the tests; their ports as it keeps them, as text. */
export function usualAnswers(ports: Record<string, string>, prompt = randomBytes(50)): Answers {
  const encrypted = publicEncrypt(RSA.publicPem, prompt).toString("base64");
  const isRight = ({ response }: Record<string, unknown>) => response === prompt.toString("base64");
  const error = (error: string) => ({ type: "error", error });
  return (message) => {
    const ids = [message["registeredId"]].flat() as string[];
    switch (message["type"]) {
      case "ping1":
        return { type: "didPing1" };
      case "handshake1":
        if (ids.some((id) => ports[id] === undefined)) return error("Couldn't detect keys in registry: TypeError");
        return { type: "shakehand1", replacement: [], prompt: encrypted };
      case "handshake2": {
        if (!isRight(message)) return error("Failed identity verification");
        const found = ids.map((id) => ports[id]);
        const vitae = { environment: "test", endpoint: "https://REGID.example.com", ip: "::1", version: "0.6.34" };
        return { type: "shakehand2", bindPort: found.length === 1 ? found[0] : found, vitae };
      }
      case "unregister1":
        if (ids.some((id) => ports[id] === undefined)) return error(`No registration found for "${ids}": no port`);
        return { type: "didUnregister1", prompt: encrypted };
      case "unregister2":
        return isRight(message) ? { type: "didUnregister2" } : error("Failed identity verification");
      default:
        return undefined;
    }
  };
}
