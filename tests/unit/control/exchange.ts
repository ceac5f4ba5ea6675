import { connect } from "node:net";

/** Sends bytes to a port of 127.0.0.1 or a Unix socket, one write each, perhaps ends its direction, and returns all that came until the connection was over. */
export function exchange(
  where: number | string,
  parts: (string | Buffer)[],
  options: { end?: boolean } = {},
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      ...(typeof where === "string" ? { path: where } : { host: "127.0.0.1", port: where }),
      allowHalfOpen: true,
      noDelay: true,
    });
    let text = "";
    socket.on("connect", () => {
      const send = ([part, ...rest]: (string | Buffer)[]) => {
        if (part === undefined) return void (options.end === true && socket.end());
        socket.write(part, () => setImmediate(send, rest));
      };
      send(parts);
    });
    socket.on("data", (bytes) => text += bytes.toString());
    socket.on("end", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}
