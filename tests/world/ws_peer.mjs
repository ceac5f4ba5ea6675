// The package "ws" on Node.js as a service that sends everything back, or as a caller. Under Bun the name "ws" stands for
// a part of Bun, so this is a program of its own. Says what happens to it on standard error, a JSON object on each line.
import process from "node:process";
import { WebSocket, WebSocketServer } from "ws";

const say = (what) => console.error(JSON.stringify(what));

/** Tells of the end of a WebSocket, and of its connection. */
function tellOfEnd(socket, connection) {
  socket.on("error", (error) => say({ error: error.message }));
  socket.on("close", (code) => say({ code }));
  connection.on("close", (broken) => say({ connection: broken ? "broken off" : "ended" }));
}

const [role, url, host] = process.argv.slice(2);
if (role === "service") {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true });
  server.on("listening", () => say({ port: server.address().port }));
  server.on("connection", (socket, request) => {
    tellOfEnd(socket, request.socket);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
} else {
  const socket = new WebSocket(url, { headers: { host } });
  socket.on("error", (error) => say({ error: error.message }));
  socket.on("upgrade", (response) => tellOfEnd(socket, response.socket));
  const send = (count) => socket.send(`${count} `.repeat(50_000));
  let received = 0;
  socket.on("open", () => [0, 1, 2].forEach(send));
  socket.on("message", (data) => {
    if (data.toString() !== `${received} `.repeat(50_000)) say({ error: `message ${received} is damaged` });
    if (++received === 10) say({ received });
    if (socket.readyState === WebSocket.OPEN) send(received + 2);
  });
}
