import { getRequestListener } from "@hono/node-server";
import { createServer, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { PetitError } from "../error.ts";
import { listen } from "../platform/listen.ts";
import { within } from "../platform/within.ts";
import { apiError } from "./api_error.ts";
import { apiToken } from "./api_token.ts";
import { errorAnswer, restApi, type RestApiParts } from "./rest_api.ts";

/** An API that is served. */
export interface ServedApi {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Ends it: answers that are under way have a second. */
  close(): Promise<void>;
}

/** Connections at a time: whoever holds more of them open must not take the descriptors that callers need. */
const MAX_CONNECTIONS = 256;

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
};

/** How long answers that are under way may go on, in milliseconds. */
const CLOSE_AFTER = 1_000;

/**
 * Serves a REST API on 127.0.0.1.
 *
 * @param port 0 for a free one
 * @param setting name of the config key of the port
 * @throws PetitError where the port cannot be used
 */
export async function serveApi(parts: RestApiParts, port: number, setting: string): Promise<ServedApi> {
  const { log } = parts;
  makeToken(parts);
  const closing = new AbortController();
  const app = restApi({ ...parts, closing: closing.signal });
  const answer = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    // What cannot even be made a request of: a Host or a target that is no part of any URL.
    errorHandler: () =>
      errorAnswer(new PetitError("request-invalid", "The Host or the target of the request is invalid"), log),
  });
  const server = createServer(LIMITS, (request, response) => {
    response.on("error", () => {});
    answer(request, response).catch((error) => {
      log.error({ err: error, code: "internal" }, "A request to the REST API was not answered");
      response.destroy();
    });
  });
  server.on("clientError", refuse);
  server.on("connect", (_request, socket) => socket.destroy());
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= MAX_CONNECTIONS) return void socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  const own = await listen(server, "127.0.0.1", port, setting);
  server.on("error", (error) => log.error({ err: error }, "The REST API has trouble with its port"));
  return {
    port: own,
    close() {
      closing.abort();
      return close(server, sockets);
    },
  };
}

/** The token is there as soon as the daemon is. Without one it still does its work, and refuses whoever needs one. */
function makeToken({ folder, log }: RestApiParts): void {
  try {
    apiToken(folder);
  } catch (error) {
    if (!(error instanceof PetitError)) throw error;
    const { code, message, hint } = error;
    log.warn({ code, hint }, `The REST API has no token: ${message}`);
  }
}

async function close(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await within(CLOSE_AFTER, closed);
  for (const socket of sockets) socket.destroy();
}

/** Answers what is no HTTP, or too much of it, and ends the connection. */
function refuse(
  error: Error & { code?: string },
  socket: { writable: boolean; end(text: string): void; destroy(): void },
): void {
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ""] ?? 400;
  if (!socket.writable) return socket.destroy();
  const message = status === 408
    ? "The request did not come in time"
    : status === 431
    ? "The head of the request is too large"
    : "This is no valid HTTP request";
  const body = JSON.stringify(apiError({ code: "request-invalid", message, hint: undefined }));
  socket.end(
    `HTTP/1.1 ${status} ${
      STATUS_CODES[status]
    }\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
