// Logins that fail, at a fixed rate: bad_logins.ts KIND PORT RATE SOURCES NET, until it is asked to stop. They come from
// 127.NET.x.y, so many addresses in turn. KIND is what they try: "key" (one that nobody knows), "code" (a wrong join code),
// "ident" (an identification and random bytes, no cryptography), "connect" (nothing). Then tells in JSON how many began, how many the server let
// in, and how much processor time they took here.
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { stopSignal } from "../../src/platform/stop_signal.ts";
import { generateKey } from "../../src/tunnel/keys.ts";
import { clientOffer } from "../../src/tunnel/offer.ts";
import { Client } from "../../src/tunnel/ssh_library.ts";

const [kind = "key", portText = "", rateText = "", sourcesText = "", net = "10"] = process.argv.slice(2);
const port = Number(portText);
const rate = Number(rateText);
const sources = Number(sourcesText);

/** Milliseconds between two looks at the schedule. */
const BEAT = 2;

const key = generateKey("nobody").privatePem;
const noise = Buffer.concat([Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"), randomBytes(2000)]);
const counts = { begun: 0, admitted: 0, finished: 0 };
const signal = stopSignal();

const idleCpu = process.cpuUsage();
const begun = performance.now();
const timer = setInterval(() => {
  const due = Math.floor((performance.now() - begun) / 1000 * rate);
  while (counts.begun < due) attack(counts.begun++);
}, BEAT);

signal.addEventListener("abort", () => {
  clearInterval(timer);
  const { user, system } = process.cpuUsage(idleCpu);
  const seconds = (performance.now() - begun) / 1000;
  process.stdout.write(`${JSON.stringify({ ...counts, seconds, cpu: (user + system) / 1e6 })}\n`);
  process.exit(0);
});

function attack(number: number): void {
  const source = number % sources;
  const socket = connect({
    port,
    host: "127.0.0.1",
    localAddress: `127.${net}.${Math.floor(source / 250)}.${source % 250 + 1}`,
  });
  socket.on("error", () => {});
  if (kind === "connect") socket.on("connect", () => socket.destroy());
  socket.once("data", (greeting: Buffer) => {
    counts.admitted++;
    if (kind === "ident") socket.end(noise);
    else tryLogin(socket, greeting);
  });
}

/** The library begins once the server has shown that it lets the connection in: one that is closed at once costs next to nothing here too. */
function tryLogin(socket: Socket, greeting: Buffer): void {
  socket.pause();
  socket.unshift(greeting);
  const client = new Client();
  const done = () => {
    counts.finished++;
    client.destroy();
  };
  client.on("error", () => {});
  client.on("close", done);
  const username = kind === "code" ? "join" : "petit";
  const methods = [{ type: "publickey", username, key }, { type: "password", username, password: "A".repeat(22) }];
  client.connect({
    sock: socket,
    username,
    readyTimeout: 0,
    algorithms: clientOffer as never,
    authHandler: (kind === "code" ? methods : methods.slice(0, 1)) as never,
  });
}
