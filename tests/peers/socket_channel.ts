import { connect } from "node:net";
import type { Channel } from "../../src/tunnel/channel.ts";
import { MemoryLink } from "../world/memory_link.ts";

/** A channel that leads to a service without a tunnel, from an address of this machine; `gone` settles when its connection is closed. */
export function channelTo(port: number, localAddress: string): { channel: Channel; gone: Promise<unknown> } {
  const link = new MemoryLink();
  const socket = connect({ host: "127.0.0.1", port, localAddress, allowHalfOpen: true });
  link.onSent = (sent) => {
    if (sent.kind === "data") socket.write(Buffer.from(sent.text, "latin1"));
    else if (sent.kind === "eof") socket.end();
    else if (sent.kind === "close") queueMicrotask(() => link.receiveClose());
  };
  socket.on("data", (bytes) => link.receive(bytes));
  socket.on("end", () => link.receiveEof());
  socket.on("error", () => link.receiveClose());
  return { channel: link.channel, gone: new Promise((resolve) => socket.once("close", resolve)) };
}
